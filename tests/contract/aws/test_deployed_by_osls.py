"""What bareboat reads of a live stack whose template osls wrote: functions, routes, addresses."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.deployed import Deployed
from bareboat.aws.stack import Stack
from bareboat.service import load_service

CASES = Path(__file__).parent / "osls"


class TemplateAws:
    """An AWS in which a template was deployed just as it stands."""

    region = "us-east-1"
    endpoint = ""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "get_function_url_config":
            return {"FunctionUrl": f"https://{arguments['FunctionName']}.lambda-url.us-east-1.on.aws/"}
        if operation == "get_api":
            return {"ApiEndpoint": f"https://{arguments['ApiId'].lower()}.execute-api.us-east-1.amazonaws.com"}
        assert (service, operation) == ("cloudformation", "get_template")
        return {"TemplateBody": json.dumps(self.template)}

    def pages(self, service: str, operation: str, key: str, **_: Any) -> Any:
        assert (service, operation) == ("cloudformation", "list_stack_resources")
        for name, resource in self.template["Resources"].items():
            properties = resource.get("Properties", {})
            physical = properties.get("FunctionName") or properties.get("LogGroupName") or f"id-of-{name}"
            yield {
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": resource["Type"],
                "ResourceStatus": "CREATE_COMPLETE",
            }


def deployed(case: str, **outputs: str) -> Deployed:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / case
        shutil.copytree(CASES / case, folder)
        (folder / "handler.py").write_text("def handle(event, context): ...\ndef predict(event, context): ...\n")
        service = load_service(folder, env={})
    template = json.loads((CASES / case / "template.json").read_text())
    stack = Stack(service.provider.stack_name, "arn:aws:cloudformation:us-east-1:123456789012:stack/x/y",
                  "UPDATE_COMPLETE", datetime(2026, 11, 22, tzinfo=UTC), outputs=outputs)  # fmt: skip
    return Deployed(TemplateAws(template), service, stack)  # type: ignore[arg-type]


def test_routes_of_an_http_api_have_their_functions_and_addresses():
    live = deployed("http-api", HttpApiUrl="https://id-of-httpapi.execute-api.us-east-1.amazonaws.com")

    assert {(one.key, one.function) for one in live.routes} == {
        ("GET /orders", "list"),
        ("GET /orders/{id}", "list"),
        ("POST /orders", "create"),
        ("$default", "rest"),
        ("ANY /files/{proxy+}", "rest"),
    }
    assert {one.url for one in live.routes if one.key == "POST /orders"} == {
        "https://id-of-httpapi.execute-api.us-east-1.amazonaws.com/orders"
    }


def test_functions_are_called_as_in_serverless_yml_and_have_their_log_groups():
    live = deployed("http-api", HttpApiUrl="https://abc")

    assert {(one.name, one.full_name, one.log_group) for one in live.functions} == {
        (name, f"orders-dev-{name}", f"/aws/lambda/orders-dev-{name}") for name in ("list", "create", "rest")
    }


SHARED = {"rest-shared"}  # the paths of an API from elsewhere are not in the template


@pytest.mark.parametrize("case", sorted({path.parent.name for path in CASES.glob("*/template.json")} - SHARED))
def test_each_route_of_serverless_yml_is_found_in_the_template_of_osls(case):
    from bareboat.service.triggers import HttpApiEvent, HttpEvent

    live = deployed(case, HttpApiUrl="https://http", ServiceEndpoint="https://rest/dev")
    wanted = {
        ("httpApi" if isinstance(event, HttpApiEvent) else "http", event.route_key, function.name)
        for function in (*live.service.functions.values(), *live.service.image_functions.values())
        for event in function.events
        if isinstance(event, HttpApiEvent | HttpEvent)
        if getattr(event, "integration", "AWS_PROXY").startswith("AWS")  # others call no function
    }

    found = {(one.api, one.key, one.function) for one in live.routes if one.api != "url"}

    assert {key for key in found if key[2]} == wanted
    assert {one.name for one in live.functions} >= {*live.service.functions, *live.service.image_functions}


def test_function_urls_are_asked_of_lambda_where_the_stack_does_not_tell_them():
    live = deployed("url")

    urls = {one.function: (one.url, one.auth) for one in live.routes if one.api == "url"}

    assert urls["open"] == ("https://urls-dev-open.lambda-url.us-east-1.on.aws/", "NONE")
    assert "AWS_IAM" in {auth for _, auth in urls.values()}


def test_function_urls_are_those_of_the_outputs():
    live = deployed("url", OpenLambdaFunctionUrl="https://abc.lambda-url.us-east-1.on.aws/")

    assert {one.url for one in live.routes if one.function == "open"} == {"https://abc.lambda-url.us-east-1.on.aws/"}


@pytest.mark.parametrize(
    ("case", "output", "said"),
    [
        pytest.param("http-api", "HttpApiUrl", "http://127.0.0.1:9956", id="plain-http"),
        pytest.param("http-api", "HttpApiUrl", "https://evil.execute-api.us-east-1.amazonaws.com", id="another-api"),
        pytest.param("http-api", "HttpApiUrl", "http://id-of-httpapi.execute-api.us-east-1.amazonaws.com", id="no-tls"),
        pytest.param("rest", "ServiceEndpoint", "https://evil.example/dev", id="another-host"),
        pytest.param(
            "rest",
            "ServiceEndpoint",
            "https://id-of-apigatewayrestapi.execute-api.us-east-1.amazonaws.com.evil.example/dev",
            id="a-host-that-begins-so",
        ),
        pytest.param("url", "OpenLambdaFunctionUrl", "https://evil.example/", id="another-url"),
    ],
)
def test_requests_go_to_the_apis_own_address_whatever_an_output_says(case, output, said):
    live = deployed(case, **{output: said})

    assert live.routes
    assert not [one.url for one in live.routes if "evil" in one.url or not one.url.startswith("https://")]
