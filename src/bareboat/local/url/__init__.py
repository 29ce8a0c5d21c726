"""Function URLs: an address of a function's own, in payload format 2.0."""

from bareboat.local.url.event import build_event
from bareboat.local.url.function_url import MAX_BODY_BYTES, MAX_HEADER_BYTES, FunctionUrl, url_id

__all__ = ["MAX_BODY_BYTES", "MAX_HEADER_BYTES", "FunctionUrl", "build_event", "url_id"]
