"""Our VTL templates of REST APIs against Serverless's, in an engine of VTL: the same request becomes the same event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from bareboat.aws.template.rest_cors import origin_template
from bareboat.aws.template.rest_templates import FORM, form_template, json_template

airspeed = pytest.importorskip("airspeed")
CASES = Path(__file__).parent / "osls"


class Input:
    """`$input` of API Gateway."""

    def __init__(self, body: str, params: dict[str, dict[str, str]]) -> None:
        self.body, self._params = body, params

    def json(self, path: str) -> str:
        assert path == "$"
        return self.body

    def path(self, path: str) -> str:
        assert path == "$"
        return self.body

    def params(self, name: str | None = None) -> Any:
        if name is None:
            return self._params
        return self._params["header"].get(name, "")


class Util:
    """`$util` of API Gateway."""

    def escapeJavaScript(self, text: Any) -> str:
        return json.dumps(str(text))[1:-1].replace("'", "\\'")

    def urlDecode(self, text: str) -> str:
        return unquote_plus(text)


def theirs(case: str, method: str, *path: str) -> Any:
    found = json.loads((CASES / case / "template.json").read_text())["Resources"][method]["Properties"]["Integration"]
    for key in path:
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


CONTEXT = {
    "httpMethod": "POST",
    "stage": "dev",
    "resourcePath": "/plain/{id}",
    "authorizer": {"principalId": "me", "claims": {"sub": "s-1", "custom:team": "red", "email": "a@b.example"}},
    "identity": {"sourceIp": "192.0.2.1", "userAgent": 'it\'s "me"'},
}
PARAMS = {
    "header": {"X-A": "1", "Cookie": "a=\"b\"; c='d'"},
    "querystring": {"q": "x y", "ä": "ö"},
    "path": {"id": "7"},
}


def event(template: str, body: str, **context: Any) -> Any:
    variables = {
        "input": Input(body, PARAMS),
        "util": Util(),
        "context": {**CONTEXT, **context},
        "stageVariables": {"colour": "blue"},
    }
    return json.loads(airspeed.Template(template).merge(variables), strict=False)


@pytest.mark.parametrize("body", ['{"a": [1, "two"]}', "[]", '"text"'])
def test_json_becomes_the_event_that_serverless_makes_of_it(body):
    serverless = theirs("rest-lambda", "ApiGatewayMethodPlainPost", "RequestTemplates", "application/json")

    ours = event(json_template(), body)

    assert ours == event(serverless, body)
    assert ours["headers"]["Cookie"] == PARAMS["header"]["Cookie"]


@pytest.mark.parametrize("body", ["a=1&b=it%27s+%22x%22", "alone", "a=1&empty=&c=d%26e"])
def test_a_form_becomes_the_event_that_serverless_makes_of_it(body):
    serverless = theirs("rest-lambda", "ApiGatewayMethodPlainPost", "RequestTemplates", FORM)

    assert event(form_template(), body)["body"] == event(serverless, body)["body"]


def test_claims_of_a_token_are_named_without_their_prefix():
    claims = event(json_template(["email", "custom:team"]), "{}")["cognitoPoolClaims"]

    assert claims == {"email": "a@b.example", "team": "red", "sub": "s-1"}


@pytest.mark.parametrize("origin", ["https://a.example.com", "https://example.com", "https://aXexampleYcom", ""])
def test_an_origin_is_let_in_where_serverless_lets_it_in(origin):
    serverless = theirs(
        "rest-cors",
        "ApiGatewayMethodSeveralOptions",
        "IntegrationResponses",
        "0",
        "ResponseTemplates",
        "application/json",
    )

    assert answered(origin_template(("https://*.example.com", "https://b.example.org")), origin) == answered(
        serverless, origin
    )


class Origin(str):
    def matches(self, pattern: str) -> bool:
        import re

        return re.fullmatch(pattern, self) is not None


def answered(template: str, origin: str) -> str:
    """Return the origin that a preflight is answered with, "" where the template leaves the static one."""
    header: dict[str, Any] = {}
    given = Input("", {"header": {"Origin": Origin(origin)}})  # type: ignore[dict-item]
    plain = template.replace("$context.responseOverride.header.Access-Control-Allow-Origin", "$answer")
    merged = airspeed.Template(plain + "[$!answer]").merge({"input": given, "answer": "", "header": header})
    return str(merged.strip().rpartition("[")[2].rstrip("]"))
