"""What a test of a method did, step by step -> the log that API Gateway writes of it (TestInvokeMethod)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

HEADERS_LIMIT = 998  # characters of a list of headers, then it is cut (recorded)


class ExecutionLog:
    """The log of one test, line by line.

    Source:
        Recorded: test_apigw_test_invoke_method_api, test_invoke_test_method and test_failed_invoke_test_method. Lines
        of failures that no recording has are those of AWS's troubleshooting articles (docs/fidelity.md).
    """

    def __init__(self, request_id: str) -> None:
        self._lines = [f"Execution log for request {request_id}"]
        self.write(f"Starting execution for request: {request_id}")

    def write(self, text: str) -> None:
        """Add a line, with the time before it."""
        self._lines.append(f"{time.strftime('%a %b %d %H:%M:%S UTC %Y', time.gmtime())} : {text}")

    def request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: str,
    ) -> None:
        """Add what was asked."""
        self.write(f"HTTP Method: {method}, Resource Path: {path}")
        self.write(f"Method request path: {pairs(parameters.items())}")
        self.write(f"Method request query string: {pairs(query.items())}")
        self.write(f"Method request headers: {pairs(headers.items())}")
        self.write(f"Method request body before transformations: {body}")

    def endpoint_request(self, uri: str, headers: Mapping[str, str], body: str) -> None:
        """Add what Lambda is asked."""
        self.write(f"Endpoint request URI: {uri}")
        shown = pairs(headers.items())
        self.write(f"Endpoint request headers: {shown[:-1]} [TRUNCATED]")  # AWS's token alone is longer than the line
        self.write(f"Endpoint request body after transformations: {body}")
        self.write(f"Sending request to {uri}")

    def endpoint_response(self, latency_ms: int, headers: Mapping[str, str], body: str) -> None:
        """Add what Lambda answered."""
        self.write(f"Received response. Status: 200, Integration latency: {latency_ms} ms")
        self.write(f"Endpoint response headers: {pairs(headers.items())}")
        self.write(f"Endpoint response body before transformations: {body}")

    def response(self, headers: Iterable[tuple[str, str]], body: str) -> None:
        """Add what the client gets."""
        self.write(f"Method response body after transformations: {body}")
        self.write(f"Method response headers: {pairs(headers)}")
        self.write("Successfully completed execution")

    def end(self, status: int) -> str:
        """Add the status and return the whole log."""
        self.write(f"Method completed with status: {status}")
        return "\n".join([*self._lines, ""])


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return names and values as the log writes them: `{a=1, b=2}`."""
    text = "{" + ", ".join(f"{name}={value}" for name, value in items) + "}"
    return text if len(text) <= HEADERS_LIMIT else f"{text[:HEADERS_LIMIT]} [TRUNCATED]"
