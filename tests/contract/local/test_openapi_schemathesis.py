"""What the OpenAPI document says, against what is answered: schemathesis asks, with valid and with broken requests.

One process for all routes: each path names its server, and schemathesis.toml says what holds for which.

All its checks are on but unsupported_method: API Gateway answers a method without a route with 404 (HTTP API) or 403
(REST API), never with 405. Two more are off where a JSON schema cannot say what holds:
positive_data_acceptance of protocols whose bodies are more than their form (CSV, tensors), and negative_data_rejection
of a query, where an empty list or object is written as nothing, which a nullable input takes.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from openapi_spec_validator import OpenAPIV31SpecValidator

from bareboat.artifact.openapi import openapi
from bareboat.local.cloud import LocalCloud

IRIS = Path(__file__).parents[3] / "src" / "bareboat" / "templates" / "lightgbm-iris"
KEY = "local-key-0123456789abcdef"
SERVICE = f"""\
service: flowers
provider:
  name: aws
  runtime: python3.{sys.version_info.minor}
  httpApi:
    authorizers:
      people:
        {{type: jwt, identitySource: $request.header.Authorization, issuerUrl: "https://issuer.test/", audience: [app]}}
      gate:
        {{type: request, functionName: gate, enableSimpleResponses: true, identitySource: [$request.header.X-Token]}}
  apiGateway:
    apiKeys: [{{name: partner, value: {KEY}}}]
    usagePlan: {{throttle: {{rateLimit: 5000, burstLimit: 5000}}}}
custom:
  bareboat: {{jwks: {{people: jwks.json}}}}
functions:
  predict:
    model: lgb.model
    signature:
      bounds: warn
      inputs: [{{name: sepal length, column: "sepal_length_(cm)", minimum: 4, maximum: 8}},
               {{name: b, column: "petal_width_(cm)", dtype: int}},
               {{name: a, column: "sepal_width_(cm)", nullable: true}},
               {{name: c, column: "petal_length_(cm)", default: 2}}]
    labels: [setosa, versicolor, virginica]
    events:
      - httpApi: {{method: post, path: "/flowers/{{id}}", authorizer: {{name: people}}}}
      - httpApi: {{method: get, path: /flowers, authorizer: {{name: gate}}}}
  strict:
    model: lgb.model
    signature:
      inputs: [{{name: w, column: "sepal_length_(cm)", minimum: 4, maximum: 8}},
               {{name: x, column: "petal_width_(cm)", dtype: float, enum: [0.5, 1, 2]}},
               {{name: y, column: "sepal_width_(cm)", dtype: int, minimum: 0}},
               {{name: z, column: "petal_length_(cm)"}}]
    events: [httpApi: POST /strict]
  score: {{model: lgb.model, protocol: mlflow, events: [httpApi: "ANY /m/{{proxy+}}"]}}
  infer: {{model: lgb.model, protocol: oip, events: [httpApi: "ANY /o/{{proxy+}}"]}}
  many: {{models: {{a: lgb.model, b: lgb.model}}, events: [httpApi: "ANY /all/{{proxy+}}"]}}
  gate: {{handler: app.gate}}
  hello:
    handler: app.hello
    events:
      - httpApi: GET /hello/{{name}}
      - http: {{path: /keyed, method: get, private: true}}
      - http:
          path: /items/{{id}}
          method: post
          cors: true
          request:
            parameters: {{querystrings: {{page: true, size: false}}, headers: {{x-tenant: true}}}}
            schemas:
              application/json:
                type: object
                required: [n]
                properties:
                  n: {{type: number, minimum: 0, exclusiveMinimum: true}}
                  tags: {{type: array, items: {{$ref: "#/definitions/tag"}}}}
                definitions: {{tag: {{type: string, maxLength: 5}}}}
"""
CODE = """\
import json

def hello(event, context):
    body = json.dumps(event["pathParameters"])
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}

def gate(event, context):
    return {"isAuthorized": event["headers"].get("x-token") == "open"}
"""


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, cloud_of: Any
) -> Iterator[tuple[Path, LocalCloud, dict[str, Any], str]]:
    """A service that runs, its folder, its document and a token for it."""
    folder = tmp_path_factory.mktemp("flowers")
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    token = jwt.encode(
        {"iss": "https://issuer.test/", "aud": "app", "sub": "me", "exp": int(time.time()) + 3600},
        private, algorithm="RS256", headers={"kid": "one"},
    )  # fmt: skip
    (folder / "jwks.json").write_text(json.dumps({"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}))
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "app.py").write_text(CODE)
    (folder / "lgb.model").write_bytes((IRIS / "lgb.model").read_bytes())
    with cloud_of(folder) as cloud:
        yield folder, cloud, openapi(cloud.service, urls=cloud.urls), token


def test_the_document_validates_and_says_who_may_call(served):
    _, cloud, document, _ = served

    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": cloud.urls["httpApi"]}]
    assert document["paths"]["/dev/items/{id}"]["servers"] == [{"url": cloud.urls["rest"].removesuffix("/dev")}]
    schemes = document["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "people": "http", "gate": "apiKey", "api_key": "apiKey",
    }  # fmt: skip
    assert (schemes["gate"]["in"], schemes["gate"]["name"]) == ("header", "X-Token")
    assert document["paths"]["/flowers/{id}"]["post"]["security"] == [{"people": []}]
    assert document["paths"]["/dev/keyed"]["get"]["security"] == [{"api_key": []}]
    assert "security" not in document["paths"]["/strict"]["post"]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    """The address of a server of `tmp_path`: of a file that is read from the disk schemathesis ignores the servers."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = functools.partial(Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(30)


# No methods that are not in the document: they are for the check that is off.
CONFIG = f"""\
[headers]
Authorization = "Bearer TOKEN"
X-Token = "open"
x-api-key = "{KEY}"

[checks.unsupported_method]
enabled = false

[phases.coverage]
unexpected-methods = []

[[operations]]
include-path = "/flowers"
checks.negative_data_rejection.enabled = false

[[operations]]
include-path-regex = "^/(m|o)/"
checks.positive_data_acceptance.enabled = false
"""


def test_schemathesis_finds_no_violation(served, files, tmp_path):
    _, _, document, token = served
    paths = {path: {"servers": document["servers"], **item} for path, item in document["paths"].items()}
    (tmp_path / "openapi.json").write_text(json.dumps({**document, "paths": paths}))
    (tmp_path / "schemathesis.toml").write_text(CONFIG.replace("TOKEN", token))
    words = [
        "-m", "schemathesis.cli", "run", f"{files}/openapi.json", "--phases", "coverage,fuzzing", "--max-examples", "5",
        "--generation-database", "none", "--no-color",
    ]  # fmt: skip

    found = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert "No issues found" in found.stdout or "warning" in found.stdout
    assert "Authentication failed" not in found.stdout
