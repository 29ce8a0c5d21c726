"""The console: a page about the running cloud, at /_bareboat/ on a port of its own."""

from bareboat.local.console.console import Console

__all__ = ["Console"]
