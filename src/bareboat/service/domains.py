"""`custom.customDomain` and `customDomains` (serverless-domain-manager) -> the domains that the stack makes.

The plugin makes domains, mappings and records through the SDK, outside of the stack. They go on working when bareboat
takes a service over, and nothing is said of them in the template, unless `custom.bareboat.domains: stack` asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bareboat.service.domain import CustomDomain
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed
from bareboat.service.report import Report

PATH = "custom.bareboat.domains"
_NAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\Z")
_POLICIES = ("TLS_1_0", "TLS_1_2")
_APIS = ("rest", "http")


def domains_of(tree: Node, stage: str, report: Report) -> tuple[CustomDomain, ...]:
    """Return the domains that the stack makes, () where they are left as they are."""
    entries = list(_entries(tree))
    said = tree.get("custom", "bareboat", "domains")
    if said is not None and said.value not in ("stack", "outside"):
        if not said.state:
            report.problems.add(said.place, f"{PATH} is {plain(said)!r}", expected="stack, or outside")
        return ()
    if said is None or said.value == "outside":
        if entries and said is None:
            report.info(
                f"{entries[0][0]} is left as it is: what serverless-domain-manager has made goes on working, and "
                f"nothing is made; {PATH}: stack has the stack make it",
                entries[0][1].place,
            )
        return ()
    found = [domain for path, node in entries if (domain := _domain(node, path, stage, report)) is not None]
    if not entries:
        report.warn(f"{PATH} is stack, and there is no custom.customDomain", said.place)
    taken: dict[tuple[str, str], CustomDomain] = {}
    for domain in found:
        other = taken.setdefault((domain.name, domain.base_path), domain)
        if other is not domain:
            report.problems.add(
                domain.where,
                f"{domain.name}/{domain.base_path} is there twice",
                expected=f"another basePath; first at {other.where}",
            )
    return tuple(found)


def _entries(tree: Node) -> Iterator[tuple[str, Node]]:
    """Yield each domain that is not switched off, with its path; one may be parted by kind of API."""
    for key in ("customDomain", "customDomains"):
        node = tree.get("custom", key)
        if node is None or node.state:
            continue
        for index, each in enumerate(node.value if isinstance(node.value, list) else [node]):
            path = f"custom.{key}[{index}]" if isinstance(node.value, list) else f"custom.{key}"
            kinds = [(kind, each.get(kind)) for kind in (*_APIS, "websocket")]
            parted = [(f"{path}.{kind}", child) for kind, child in kinds if child is not None and child.is_mapping]
            for where, child in parted or [(path, each)]:
                enabled = child.get("enabled")
                if child.is_mapping and (enabled is None or str(enabled.value).lower() not in ("false", "no", "0")):
                    if parted and child.get("apiType") is None:
                        kind = where.rpartition(".")[2]
                        child.value["apiType"] = Node(kind, child.place)
                    yield where, child


def _text(node: Node, key: str, default: str = "") -> str:
    child = node.get(key)
    return default if child is None else str(child.value)


def _is_true(node: Node, key: str) -> bool:
    return _text(node, key, "true").lower() not in ("false", "no", "0")


def _domain(node: Node, path: str, stage: str, report: Report) -> CustomDomain | None:
    before = len(report.problems)
    name = _text(node, "domainName")
    if not _NAME.match(name):
        place = (node.get("domainName") or node).place
        report.problems.add(place, f"{path}.domainName is '{name}'", expected="a name such as api.example.com")
    kind = _text(node, "apiType", "rest").lower()
    if kind not in _APIS:
        report.problems.add(
            (node.get("apiType") or node).place, f"{path}.apiType is {kind}", expected=f"one of {listed(_APIS)}"
        )
    endpoint = _text(node, "endpointType", "edge").lower()
    if endpoint not in ("edge", "regional") or (kind == "http" and endpoint == "edge"):
        report.problems.add(
            (node.get("endpointType") or node).place,
            f"{path}.endpointType is {endpoint}",
            expected="regional, as HTTP APIs have it" if kind == "http" else "edge, or regional",
            fix="write endpointType: regional",
        )
    policy = _text(node, "securityPolicy", "tls_1_2").upper()
    if policy not in _POLICIES:
        report.problems.add(
            (node.get("securityPolicy") or node).place, f"{path}.securityPolicy is {policy}", expected=listed(_POLICIES)
        )
    certificate = node.get("certificateArn")
    if certificate is None:
        region = "in us-east-1, where EDGE looks" if endpoint == "edge" else "in the region of the service"
        report.problems.add(
            node.place,
            f"{path} has no certificateArn",
            expected=f"the ARN of a certificate {region}: the template asks nobody for one by its name",
            fix="aws acm list-certificates, or a Ref to an AWS::CertificateManager::Certificate of resources",
        )
    routing = node.get("route53Params", "routingPolicy")
    if routing is not None and str(routing.value).lower() != "simple":
        report.problems.add(
            routing.place, f"{path}: records are not {routing.value}", expected="simple, or createRoute53Record: false"
        )
    if len(report.problems) > before or certificate is None:
        return None
    report.value(path, f"{name}, made by the stack", node)
    zone = node.get("hostedZoneId")
    base = _text(node, "basePath").strip("/")
    return CustomDomain(
        name=name,
        where=node.place,
        api="http" if kind == "http" else "rest",
        edge=endpoint == "edge",
        base_path="" if base == "(none)" else base,
        stage=_text(node, "stage", "$default" if kind == "http" else stage),
        certificate=plain(certificate),
        policy=policy,
        trust_store=_text(node, "tlsTruststoreUri"),
        trust_store_version=_text(node, "tlsTruststoreVersion"),
        record=_is_true(node, "createRoute53Record"),
        record_v6=_is_true(node, "createRoute53IPv6Record"),
        zone_id=plain(zone) if zone is not None else None,
    )
