"""`functions.NAME.url` -> FunctionUrl."""

from __future__ import annotations

from dataclasses import replace

from bareboat.service.api import Cors, FunctionUrl
from bareboat.service.http_api import check_cors
from bareboat.service.keys.apis import CorsKeys, FunctionUrlKeys
from bareboat.service.nodes import Node
from bareboat.service.report import Report

# Serverless Framework, lib/plugins/aws/package/compile/functions.js
CORS_HEADERS = (
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amzn-Trace-Id",
)

CORS_METHODS = ("GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*")
"""Schema of AWS::Lambda::Url, Cors.AllowMethods."""


def function_url(
    said: bool | FunctionUrlKeys | None, node: Node | None, path: str, report: Report
) -> FunctionUrl | None:
    """Return a function's URL, None where it has none.

    Args:
        path: `functions.NAME.url`.
    """
    if not said or node is None:
        return None
    if said is True:
        report.value(path, "anyone may call it", node)
        return FunctionUrl(node.place)
    assert isinstance(said, FunctionUrlKeys)
    signed = said.authorizer == "aws_iam"
    report.value(path, "requests must be signed" if signed else "anyone may call it", node)
    if said.invoke_mode == "RESPONSE_STREAM":
        report.warn(
            f"{path}.invokeMode: Python streams nothing, on AWS too: the body is what the function returns, as it is",
            (node.get("invokeMode") or node).place,
        )
    cors = _cors(said.cors, node.get("cors"))
    if cors is not None:
        cors = _checked(cors, node.get("cors"), f"{path}.cors", report)
    check_cors(cors, node.get("cors"), f"{path}.cors", report)
    return FunctionUrl(node.place, "AWS_IAM" if signed else "NONE", cors, said.invoke_mode or "BUFFERED")


def _checked(cors: Cors, node: Node | None, path: str, report: Report) -> Cors:
    """Return rules with the methods that AWS takes; OPTIONS is not among them, since Lambda answers it by itself."""
    assert node is not None
    said = node.get("allowedMethods") or node
    methods = tuple(method for method in cors.allowed_methods if method != "OPTIONS")
    if len(methods) != len(cors.allowed_methods):
        report.info(f"{path}.allowedMethods: OPTIONS is left out: Lambda answers it by itself", said.place)
    for method in methods:
        if method not in CORS_METHODS:
            report.problems.add(
                said.place, f"{path}.allowedMethods has {method}", expected=f"of {', '.join(CORS_METHODS)}"
            )
    return replace(cors, allowed_methods=methods)


def _cors(said: bool | CorsKeys | None, node: Node | None) -> Cors | None:
    """Return the rules; a list that is null, rather than absent, is none at all."""
    if not said:
        return None
    keys = CorsKeys() if said is True else said
    assert isinstance(keys, CorsKeys)
    nulls = node.value if node is not None and node.is_mapping else {}

    def or_default(found: list[str] | None, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        if found:
            return tuple(dict.fromkeys(found))
        return () if key in nulls else default

    return Cors(
        allowed_origins=or_default(keys.allowed_origins, "allowedOrigins", ("*",)),
        allowed_methods=or_default(keys.allowed_methods, "allowedMethods", ("*",)),
        allowed_headers=or_default(keys.allowed_headers, "allowedHeaders", CORS_HEADERS),
        exposed_headers=tuple(dict.fromkeys(keys.exposed_response_headers or ())),
        allow_credentials=bool(keys.allow_credentials),
        max_age_s=keys.max_age,
    )
