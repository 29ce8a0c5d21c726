"""serverless.yml, parsed, resolved and checked.

>>> from bareboat.service import load_service
>>> service = load_service(Path("serverless.yml"), stage="prod")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.service.editor import json_schema
    from bareboat.service.load import load_service

__all__ = ["json_schema", "load_service"]


def __getattr__(name: str) -> object:
    """Import on first use: the model alone needs neither YAML nor the key types."""
    if name == "load_service":
        from bareboat.service.load import load_service

        return load_service
    if name == "json_schema":
        from bareboat.service.editor import json_schema

        return json_schema
    raise AttributeError(f"module 'bareboat.service' has no attribute {name!r}")
