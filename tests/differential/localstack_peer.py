"""LocalStack's REST API, in this process and without its server: requests from stdin, answers to stdout.

Run by the interpreter of LocalStack's own environment; `rest_api.py` starts it. Functions are Python here, as there.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from localstack.services.apigateway.models import MergedRestApi, RestApiDeployment
from localstack.services.apigateway.next_gen.execute_api.context import RestApiInvocationContext
from localstack.services.apigateway.next_gen.execute_api.gateway import RestApiGateway
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from rolo import Request, Response
from werkzeug.datastructures import Headers

URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations"


def deployment(setup: dict[str, Any]) -> RestApiDeployment:
    api = MergedRestApi({"id": "abcde12345", "binaryMediaTypes": setup["binary"], "apiKeySource": "HEADER"})
    api.validators = {"v": {"id": "v", "validateRequestBody": True, "validateRequestParameters": True}}
    api.models = {"M": {"name": "M", "contentType": "application/json", "schema": json.dumps(setup["schema"])}}
    for number, (key, rules) in enumerate(setup["methods"].items()):
        method, _, path = key.partition(" ")
        resource = next((each for each in api.resources.values() if each["path"] == path), None)
        if resource is None:
            resource = {"id": f"r{number}", "path": path, "resourceMethods": {}}
            api.resources[resource["id"]] = resource
        of_method: dict[str, Any] = {
            "httpMethod": method,
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            "methodIntegration": {
                "type": "AWS_PROXY",
                "httpMethod": "POST",
                "uri": URI,
                "timeoutInMillis": 29_000,
                "requestParameters": {},
                "requestTemplates": {},
                "passthroughBehavior": "WHEN_NO_MATCH",
            },
        }
        if rules:
            of_method["requestValidatorId"] = "v"
            of_method["requestParameters"] = {f"method.request.{name}": True for name in rules["parameters"]}
            if rules["model"]:
                of_method["requestModels"] = {"application/json": "M"}
        resource["resourceMethods"][method] = of_method
    return RestApiDeployment("123456789012", "us-east-1", api)


def ask(gateway: RestApiGateway, deployed: RestApiDeployment, asked: dict[str, Any]) -> Response:
    path, _, query = asked["target"].partition("?")
    request = Request(
        method=asked["method"],
        path=path,
        query_string=query,
        headers=Headers([tuple(pair) for pair in asked["headers"]]),
        body=base64.b64decode(asked["body"]),
        raw_path=path,
    )
    request.environ["RAW_URI"] = asked["target"]
    context = RestApiInvocationContext(request)
    context.deployment, context.api_id, context.stage = deployed, "abcde12345", "dev"
    context.stage_configuration, context.deployment_id = {}, "d"
    response = Response()
    gateway.process_with_context(context, response)
    response.get_data()
    return response


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    gateway, deployed = RestApiGateway(), deployment(setup)
    events: list[dict[str, Any]] = []
    answer: list[str] = [""]

    def call_lambda(*, event: bytes, **_: Any) -> bytes:
        events.append(json.loads(event))
        returned = answer[0]
        if returned == "echo":
            return json.dumps({"statusCode": 200, "body": "echo"}).encode()
        return returned.encode()

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
    for line in sys.stdin:
        asked = json.loads(line)
        events.clear()
        answer[0] = asked["answer"]
        try:
            response = ask(gateway, deployed, asked)
        except Exception:  # noqa: BLE001 - an answer too
            response = Response(status=599)
        print(
            json.dumps(
                {
                    "status": response.status_code,
                    "headers": list(response.headers.items()),
                    "body": base64.b64encode(response.get_data()).decode(),
                    "event": events[0] if events else None,
                }
            ),
            flush=True,
        )


main()
