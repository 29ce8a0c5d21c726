"""Security of an OpenAPI document -> the authorizers of its routes. What nobody can decide is a problem, never open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bareboat.service.model import Place
from bareboat.service.nodes import Node, plain, to_node
from bareboat.service.problems import listed
from bareboat.service.report import Report

_AUTHORIZER = "x-amazon-apigateway-authorizer"
_TYPE = "x-amazon-apigateway-authtype"
_FUNCTION = "x-bareboat-function"
_WELL_KNOWN = "/.well-known/openid-configuration"
_URI = re.compile(r"/functions/(.+)/invocations")


class SchemeReader:
    """Reads what operations ask of callers.

    Args:
        tree: serverless.yml; authorizers of the HTTP API are added to it.
        kind: httpApi, or http for a REST API.
        functions: the names of the service's functions.
    """

    def __init__(self, tree: Node, document: Node, kind: str, functions: Sequence[str], report: Report) -> None:
        self.tree = tree
        self.document = document
        self.kind = kind
        self.functions = functions
        self.report = report
        self.schemes = document.get("components", "securitySchemes") or document.get("securityDefinitions")

    def access(self, operation: Node, text: str, place: Place) -> tuple[Node | None, bool]:
        """Return the authorizer of a route, None where anybody may call, and whether an API key is needed.

        Args:
            text: how messages call the operation.
        """
        said = operation.get("security") or self.document.get("security")
        ways = said.value if said is not None and isinstance(said.value, list) else []
        wrong = [each for each in ways if not each.is_mapping]
        if wrong or (said is not None and not isinstance(said.value, list)):
            self.report.problems.add(
                said.place if said is not None else place,
                f"security of {text} is no list of mappings",
                expected="- SCHEME: [], or [] for anybody",
            )
            return None, False
        if len(ways) > 1:
            self.report.problems.add(
                said.place if said is not None else place,
                f"{text} may be called in {len(ways)} ways",
                expected="one: API Gateway has one authorizer a route",
            )
            return None, False
        authorizer: Node | None = None
        private = False
        for name, scopes in ways[0].items() if ways else ():
            scheme = self.schemes.get(name) if self.schemes is not None else None
            if scheme is not None and self._is_key(scheme):
                private = True
                continue
            found = self._authorizer(name, scheme, plain(scopes) or [], text, scopes.place)
            if found is not None and authorizer is not None:
                self.report.problems.add(
                    scopes.place, f"{text} asks for two authorizers at once", expected="one, and an API key beside it"
                )
            authorizer = found or authorizer
        return authorizer, private

    @staticmethod
    def _is_key(scheme: Node) -> bool:
        kind, where, name = (scheme.get(key) for key in ("type", "in", "name"))
        return (
            kind is not None
            and kind.value == "apiKey"
            and (where is None or where.value == "header")
            and name is not None
            and str(name.value).lower() == "x-api-key"
            and scheme.get(_AUTHORIZER) is None
        )

    def _authorizer(self, name: str, scheme: Node | None, scopes: list[str], text: str, place: Place) -> Node | None:
        kind = scheme.get(_TYPE) if scheme is not None else None
        if kind is not None and str(kind.value).lower() == "awssigv4":
            return to_node({"type": "aws_iam"}, place) if self.kind == "httpApi" else Node("aws_iam", place)
        extension = scheme.get(_AUTHORIZER) if scheme is not None else None
        found = self._http(name, scheme, extension) if self.kind == "httpApi" else self._rest(name, scheme, extension)
        if found is None:
            home = f"provider.httpApi.authorizers.{name}" if self.kind == "httpApi" else f"a function '{name}'"
            self.report.problems.add(
                place,
                f"{text} asks for '{name}', and nothing says who decides",
                expected=f"{home}, or {_AUTHORIZER} in the scheme",
            )
            return None
        if scopes:
            found["scopes"] = scopes
        return to_node(found, place)

    def _http(self, name: str, scheme: Node | None, extension: Node | None) -> dict[str, Any] | None:
        known = self.tree.get("provider", "httpApi", "authorizers", name)
        if known is None:
            made = self._http_authorizer(scheme, extension)
            if made is None or scheme is None:
                return None
            provider = self.tree.get("provider")
            if provider is None or not provider.is_mapping:
                return None
            self._put(provider, name, to_node(made, (extension or scheme).place))
        return {"name": name}

    @staticmethod
    def _put(provider: Node, name: str, authorizer: Node) -> None:
        node = provider
        for key in ("httpApi", "authorizers"):
            if node.get(key) is None:
                node.value[key] = Node({}, authorizer.place)
                node.keys[key] = authorizer.place
            node = node.value[key]
        if node.is_mapping:
            node.value[name] = authorizer
            node.keys[name] = authorizer.place

    def _http_authorizer(self, scheme: Node | None, extension: Node | None) -> dict[str, Any] | None:
        """Return an entry of `provider.httpApi.authorizers`."""
        if scheme is None:
            return None
        said: dict[str, Any] = plain(extension) if extension is not None and extension.is_mapping else {}
        source = said.get("identitySource")
        sources = [part.strip() for part in source.split(",")] if isinstance(source, str) else source
        if str(said.get("type", "")).lower() == "request":
            found: dict[str, Any] = {"type": "request", **self._lambda(scheme, said)}
            for key, name in (
                ("enableSimpleResponses", "enableSimpleResponses"),
                ("authorizerResultTtlInSeconds", "resultTtlInSeconds"),
                ("authorizerPayloadFormatVersion", "payloadVersion"),
            ):
                if key in said:
                    found[name] = f"{float(said[key]):.1f}" if name == "payloadVersion" else said[key]
            return {**found, **({"identitySource": sources} if sources else {})}
        tokens = said.get("jwtConfiguration") or {}
        issuer = tokens.get("issuer")
        address = scheme.get("openIdConnectUrl")
        if issuer is None and address is not None:
            issuer = str(address.value).removesuffix(_WELL_KNOWN)
        if issuer is None or not tokens.get("audience"):
            return None
        found = {"type": "jwt", "issuerUrl": issuer, "audience": tokens["audience"]}
        return {**found, "identitySource": sources or ["$request.header.Authorization"]}

    def _rest(self, name: str, scheme: Node | None, extension: Node | None) -> dict[str, Any] | None:
        """Return the authorizer of an `http` event."""
        said: dict[str, Any] = plain(extension) if extension is not None and extension.is_mapping else {}
        if scheme is None or not said:
            return {"name": name} if name in self.functions else None
        kind = str(said.get("type", "")).lower()
        arns = said.get("providerARNs") or []
        if kind == "cognito_user_pools":
            return {"name": name, "type": "COGNITO_USER_POOLS", "arn": arns[0]} if len(arns) == 1 else None
        found = self._lambda(scheme, said)
        renamed = {"functionName": "name", "functionArn": "arn"}
        entry: dict[str, Any] = {renamed[key]: value for key, value in found.items()}
        entry.setdefault("name", name)
        entry["type"] = kind or "token"
        for key, target in (
            ("authorizerResultTtlInSeconds", "resultTtlInSeconds"),
            ("identitySource", "identitySource"),
            ("identityValidationExpression", "identityValidationExpression"),
        ):
            if key in said:
                entry[target] = said[key]
        return entry

    def _lambda(self, scheme: Node, said: dict[str, Any]) -> dict[str, Any]:
        """Return which function decides: one of the file, or by the ARN in its address."""
        named = scheme.get(_FUNCTION)
        if named is not None:
            if named.value not in self.functions:
                self.report.problems.add(
                    named.place,
                    f"{_FUNCTION} of a security scheme is '{plain(named)}'",
                    expected=f"one of {listed(self.functions)}",
                )
            return {"functionName": str(named.value)}
        uri = said.get("authorizerUri")
        if isinstance(uri, dict):
            uri = uri.get("Fn::Sub", "")
            found = _URI.search(uri) if isinstance(uri, str) else None
            return {"functionArn": {"Fn::Sub": found[1]}} if found is not None else {}
        found = _URI.search(str(uri or ""))
        return {"functionArn": found[1]} if found is not None else {}
