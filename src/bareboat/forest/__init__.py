"""Model files -> Forest -> `.forest` files."""

from bareboat.forest.file import forest_bytes, write_forest
from bareboat.forest.ir import Forest, Tree
from bareboat.forest.readers import read_forest

__all__ = ["Forest", "Tree", "forest_bytes", "read_forest", "write_forest"]
