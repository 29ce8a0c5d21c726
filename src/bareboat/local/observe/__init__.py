"""What the local cloud keeps of what it did: every invocation, request and reload, in one bounded SQLite file.

`Store` writes it, from the process that serves; `query` reads it, from any.
"""

from bareboat.local.observe.mask import mask_of
from bareboat.local.observe.place import FILE, observed_path
from bareboat.local.observe.store import Store

__all__ = ["FILE", "Store", "mask_of", "observed_path"]
