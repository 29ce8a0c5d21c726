"""`resources` of type AWS::ApiGateway::GatewayResponse, and of the REST API itself -> what it answers and takes."""

from __future__ import annotations

from collections.abc import Iterator

from bareboat.service.api import GatewayResponse
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

# API Gateway developer guide, "Gateway response types"
KINDS = (
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
)
_HEADER = "gatewayresponse.header."


def responses_of(tree: Node, report: Report) -> tuple[GatewayResponse, ...]:
    """Return the gateway responses of `resources.Resources`."""
    found: dict[str, GatewayResponse] = {}
    for path, child in _resources(tree, "AWS::ApiGateway::GatewayResponse"):
        response = _response(child, path, report)
        if response is None:
            continue
        if response.kind in found:
            report.problems.add(
                response.where,
                f"{path} is {response.kind} again",
                expected=f"each response once; first at {found[response.kind].where}",
            )
            continue
        found[response.kind] = response
    return tuple(found.values())


def binary_types_of(tree: Node) -> tuple[str, ...]:
    """Return binary media types that overrides of the REST API or serverless-apigw-binary name."""
    override = ("ApiGatewayRestApi", "Properties", "BinaryMediaTypes")
    nodes = [tree.get("custom", "apigwBinary", "types")]
    nodes += [tree.get("resources", section, *override) for section in ("extensions", "Resources")]
    texts = [
        each.value
        for node in nodes
        if node is not None and isinstance(node.value, list)
        for each in node.value
        if isinstance(each.value, str)
    ]
    return tuple(text.replace("~1", "/") for text in dict.fromkeys(texts))


def _resources(tree: Node, kind: str) -> Iterator[tuple[str, Node]]:
    node = tree.get("resources", "Resources")
    for name, child in node.items() if node is not None else ():
        said = child.get("Type")
        if said is not None and said.value == kind:
            yield f"resources.Resources.{name}", child


def _response(node: Node, path: str, report: Report) -> GatewayResponse | None:
    properties = node.get("Properties")
    kind = properties.get("ResponseType") if properties is not None else None
    if properties is None or kind is None or not isinstance(kind.value, str):
        if not (kind is not None and kind.state):
            report.problems.add(node.place, f"{path} has no ResponseType", expected="one such as UNAUTHORIZED")
        return None
    if kind.value not in KINDS:
        near = nearest(kind.value, KINDS)
        report.problems.add(
            kind.place,
            f"{path}.Properties.ResponseType is '{kind.value}'",
            expected=f"one of {listed(KINDS)}",
            fix=f"write {near}" if near else "",
        )
        return None
    templates = properties.get("ResponseTemplates")
    return GatewayResponse(
        kind.value,
        node.place,
        _status(properties.get("StatusCode"), path, report),
        _headers(properties.get("ResponseParameters"), path, report),
        {name: str(plain(child)) for name, child in templates.items()} if templates is not None else {},
    )


def _status(node: Node | None, path: str, report: Report) -> int | None:
    if node is None or node.state:
        return None
    text = str(plain(node))
    if text.isdigit() and 100 <= int(text) <= 599:
        return int(text)
    report.problems.add(node.place, f"{path}.Properties.StatusCode is {text!r}", expected="a status from 100 to 599")
    return None


def _headers(node: Node | None, path: str, report: Report) -> dict[str, str]:
    found = {}
    for name, child in node.items() if node is not None else ():
        value = plain(child)
        if not name.startswith(_HEADER):
            if not name.startswith(("gatewayresponse.path.", "gatewayresponse.querystring.")):
                report.problems.add(
                    node.key_place(name) if node is not None else None,
                    f"{path}.Properties.ResponseParameters has '{name}'",
                    expected=f"{_HEADER}NAME",
                )
            continue
        if isinstance(value, str) and len(value) >= 2 and value[0] == value[-1] == "'":
            found[name.removeprefix(_HEADER)] = value[1:-1]
        else:
            report.warn(
                f"{path}: the header {name.removeprefix(_HEADER)} is taken from {value}, which is not done locally; "
                "it is left out",
                child.place,
            )
    return found
