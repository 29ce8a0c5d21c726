"""What Lambda's API says no with: its error codes, statuses and words, on the wire as AWS's SDKs read them.

The code stands in the header `x-amzn-ErrorType`; the body is JSON whose keys differ by error, `Message` in one and
`message` in others, as recorded.
"""

from __future__ import annotations

import msgspec

from bareboat.local.invocation import Throttled
from bareboat.local.messages import Response

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # of a synchronous invocation
MAX_EVENT_BYTES = 1024 * 1024  # of an asynchronous one, since October 2025


class ApiError(Exception):
    """A refusal of the Lambda API.

    Args:
        fields: the keys of the body.
    """

    def __init__(self, status: int, code: str, fields: dict[str, str]) -> None:
        self.status = status
        self.code = code
        self.fields = fields
        super().__init__(f"{code}: {fields}")

    def response(self, request_id: str) -> Response:
        """Return it as the API answers it."""
        headers = (
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", self.code),
        )
        return Response(self.status, headers, msgspec.json.encode(self.fields))


def not_found(message: str) -> ApiError:
    """Return a 404, whose body says `Message` (recorded)."""
    return ApiError(404, "ResourceNotFoundException", {"Type": "User", "Message": message})


def no_such_function(arn: str) -> ApiError:
    """Return the 404 of a function, or of one of its versions."""
    return not_found(f"Function not found: {arn}")


def invalid_parameter(message: str) -> ApiError:
    """Return the 400 of parameters that do not go together."""
    return ApiError(400, "InvalidParameterValueException", {"Type": "User", "message": message})


def invalid_content(message: str) -> ApiError:
    """Return the 400 of a body or client context that cannot be read."""
    return ApiError(400, "InvalidRequestContentException", {"Type": "User", "message": message})


def validation(faults: list[str]) -> ApiError:
    """Return the 400 of parameters that break their constraints, all of them in one message."""
    errors = "validation error" if len(faults) == 1 else "validation errors"
    return ApiError(400, "ValidationException", {"message": f"{len(faults)} {errors} detected: {'; '.join(faults)}"})


def breaks(value: str, name: str, constraint: str) -> str:
    """Return one fault for `validation`."""
    return f"Value '{value}' at '{name}' failed to satisfy constraint: Member must {constraint}"


def too_many(throttled: Throttled) -> ApiError:
    """Return the 429 of a concurrency limit."""
    fields = {"Reason": throttled.reason, "Type": "User", "message": throttled.words}
    return ApiError(429, throttled.code, fields)


def request_too_large() -> ApiError:
    """Return the 413 of a synchronous payload over 6 MiB (words seen in awslabs/aws-athena-query-federation #793)."""
    message = f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
    return ApiError(413, "RequestEntityTooLargeException", {"message": message})


def event_too_large(size_bytes: int) -> ApiError:
    """Return the 413 of an asynchronous payload (words seen in ASFHyP3/hyp3 #2241, when the limit was 256 KiB)."""
    message = f"{size_bytes} byte payload is too large for the Event invocation type (limit {MAX_EVENT_BYTES} bytes)"
    return ApiError(413, "RequestEntityTooLargeException", {"Type": "User", "message": message})


def cannot_run(message: str) -> ApiError:
    """Return the 500 of a function that cannot be started on this machine."""
    return ApiError(500, "ServiceException", {"Type": "Service", "Message": message})


def not_served(operation: str) -> ApiError:
    """Return the 501 of an operation that only AWS has. SDKs do not try it again."""
    message = f"{operation} is not served by the local Lambda API: what it would change stands in serverless.yml"
    return ApiError(501, "NotImplementedException", {"Type": "User", "message": message})


def forbidden(message: str) -> ApiError:
    """Return the 403 of a request that a web page may have sent."""
    return ApiError(403, "AccessDeniedException", {"Type": "User", "Message": message})


def unreadable(status: int, message: str) -> ApiError:
    """Return what the server itself refuses: 400, 408, 431, 505."""
    return ApiError(status, "InvalidRequestException", {"Type": "User", "message": message})
