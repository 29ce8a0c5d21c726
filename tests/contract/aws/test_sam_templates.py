"""APIs of our template against what aws-sam-translator makes of the same service written for SAM."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.aws.template.build import make_template
from bareboat.service import load_service

pytest.importorskip("samtranslator")

SERVERLESS = """
service: shop
provider:
  name: aws
  runtime: python3.13
  httpApi:
    cors: {allowedOrigins: [https://a.example], allowedMethods: [GET, POST], allowedHeaders: [x-a], maxAge: 60}
    authorizers:
      users: {issuerUrl: https://issuer.example, audience: [shop], identitySource: $request.header.Authorization}
  apiGateway:
    binaryMediaTypes: [image/png]
    minimumCompressionSize: 1024
custom: {bareboat: {throttle: {rate: 10, burst: 20}}}
functions:
  get:
    handler: handler.handle
    url: {cors: {allowedOrigins: [https://a.example], allowedMethods: null, allowedHeaders: null}}
    events:
      - httpApi: {method: GET, path: '/items/{id}', authorizer: {name: users, scopes: [read]}}
      - httpApi: '*'
  rest:
    handler: handler.handle
    events:
      - http: {method: post, path: orders, authorizer: guard}
      - http: {method: any, path: 'files/{proxy+}', private: true}
  guard: {handler: handler.handle}
"""
CODE = {"Handler": "handler.handle", "Runtime": "python3.13", "CodeUri": "s3://bucket/code.zip"}
SAM: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Http": {
            "Type": "AWS::Serverless::HttpApi",
            "Properties": {
                "CorsConfiguration": {
                    "AllowOrigins": ["https://a.example"],
                    "AllowMethods": ["GET", "POST"],
                    "AllowHeaders": ["x-a"],
                    "MaxAge": 60,
                },
                "DefaultRouteSettings": {"ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10},
                "Auth": {
                    "Authorizers": {
                        "users": {
                            "IdentitySource": "$request.header.Authorization",
                            "JwtConfiguration": {"issuer": "https://issuer.example", "audience": ["shop"]},
                        }
                    }
                },
            },
        },
        "Rest": {
            "Type": "AWS::Serverless::Api",
            "Properties": {
                "StageName": "dev",
                "BinaryMediaTypes": ["image~1png"],
                "MinimumCompressionSize": 1024,
                "Auth": {"Authorizers": {"guard": {"FunctionArn": {"Fn::GetAtt": ["Guard", "Arn"]}}}},
            },
        },
        "Get": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                **CODE,
                "FunctionUrlConfig": {"AuthType": "NONE", "Cors": {"AllowOrigins": ["https://a.example"]}},
                "Events": {
                    "One": {
                        "Type": "HttpApi",
                        "Properties": {
                            "ApiId": {"Ref": "Http"},
                            "Method": "GET",
                            "Path": "/items/{id}",
                            "Auth": {"Authorizer": "users", "AuthorizationScopes": ["read"]},
                        },
                    },
                    "Rest": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Http"}}},
                },
            },
        },
        "RestFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                **CODE,
                "Events": {
                    "Order": {
                        "Type": "Api",
                        "Properties": {
                            "RestApiId": {"Ref": "Rest"},
                            "Method": "post",
                            "Path": "/orders",
                            "Auth": {"Authorizer": "guard"},
                        },
                    },
                    "Files": {
                        "Type": "Api",
                        "Properties": {
                            "RestApiId": {"Ref": "Rest"},
                            "Method": "any",
                            "Path": "/files/{proxy+}",
                            "Auth": {"ApiKeyRequired": True},
                        },
                    },
                },
            },
        },
        "Guard": {"Type": "AWS::Serverless::Function", "Properties": CODE},
    },
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "serverless.yml").write_text(SERVERLESS)
    (folder / "handler.py").write_text("def handle(event, context): ...\n")
    service = load_service(folder, env={})
    code = ZipCode("serverless/shop/dev/code/x.zip", "0" * 64)
    functions = {name: FunctionCode(code, "x86_64", "handler.handle", "python3.13") for name in service.functions}
    return make_template(service, Shipment(functions))["Resources"]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    import warnings

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        warnings.simplefilter("ignore")
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator

        document = Translator({}, Parser()).translate(copy.deepcopy(SAM), {})
    found: dict[str, Any] = document["Resources"]
    return found


def of_kind(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == f"AWS::{kind}"]


def the(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = of_kind(resources, kind)
    return found


def test_routes_of_the_http_api_ask_the_same_authorizer_for_the_same_scopes(ours, theirs):
    body = the(theirs, "ApiGatewayV2::Api")["Body"]
    routes = {each["RouteKey"]: each for each in of_kind(ours, "ApiGatewayV2::Route")}
    authorizer = the(ours, "ApiGatewayV2::Authorizer")
    scheme = body["components"]["securitySchemes"]["users"]["x-amazon-apigateway-authorizer"]

    assert {"GET /items/{id}", "$default"} == set(routes)
    assert set(body["paths"]) == {"/items/{id}", "$default"}
    assert body["paths"]["/items/{id}"]["get"]["security"] == [
        {"users": routes["GET /items/{id}"]["AuthorizationScopes"]}
    ]
    assert "AuthorizationType" not in routes["$default"]
    assert authorizer["JwtConfiguration"] == {
        "Audience": scheme["jwtConfiguration"]["audience"],
        "Issuer": scheme["jwtConfiguration"]["issuer"],
    }
    assert authorizer["IdentitySource"] == [scheme["identitySource"]]


def test_the_integration_has_the_same_payload(ours, theirs):
    said = the(theirs, "ApiGatewayV2::Api")["Body"]["paths"]["/items/{id}"]["get"]["x-amazon-apigateway-integration"]
    found = the(ours, "ApiGatewayV2::Integration")

    assert found["PayloadFormatVersion"] == said["payloadFormatVersion"]
    assert found["IntegrationType"] == said["type"].upper()


def test_cors_of_the_http_api_is_the_same(ours, theirs):
    said = the(theirs, "ApiGatewayV2::Api")["Body"]["x-amazon-apigateway-cors"]
    found = the(ours, "ApiGatewayV2::Api")["CorsConfiguration"]

    assert {key[:1].lower() + key[1:]: value for key, value in found.items()} == said


def test_the_stage_of_the_http_api_has_the_same_limits(ours, theirs):
    said, found = the(theirs, "ApiGatewayV2::Stage"), the(ours, "ApiGatewayV2::Stage")

    assert (found["StageName"], found["AutoDeploy"]) == (said["StageName"], said["AutoDeploy"])
    assert found["DefaultRouteSettings"].items() >= said["DefaultRouteSettings"].items()


def test_anybody_may_call_the_function_url_and_invoke_through_it(ours, theirs):
    def open_to_all(resources):
        found = [each for each in of_kind(resources, "Lambda::Permission") if each["Principal"] == "*"]
        return {(each["Action"], each.get("FunctionUrlAuthType"), each.get("InvokedViaFunctionUrl")) for each in found}

    assert open_to_all(ours) == open_to_all(theirs)
    assert the(ours, "Lambda::Url")["Cors"] == the(theirs, "Lambda::Url")["Cors"]
    assert the(ours, "Lambda::Url")["AuthType"] == the(theirs, "Lambda::Url")["AuthType"]


def test_methods_of_the_rest_api_have_the_same_access_and_integration(ours, theirs):
    paths = the(theirs, "ApiGateway::RestApi")["Body"]["paths"]
    order, files = paths["/orders"]["post"], paths["/files/{proxy+}"]["x-amazon-apigateway-any-method"]
    methods = {each["HttpMethod"]: each for each in of_kind(ours, "ApiGateway::Method")}

    assert order["security"] == [{"guard": []}]
    assert (methods["POST"]["AuthorizationType"], methods["POST"]["ApiKeyRequired"]) == ("CUSTOM", False)
    assert files["security"] == [{"api_key": []}]
    assert (methods["ANY"]["AuthorizationType"], methods["ANY"]["ApiKeyRequired"]) == ("NONE", True)
    for method, said in (("POST", order), ("ANY", files)):
        integration, other = methods[method]["Integration"], said["x-amazon-apigateway-integration"]
        assert (integration["Type"], integration["IntegrationHttpMethod"]) == (
            other["type"].upper(),
            other["httpMethod"],
        )


def test_the_rest_api_compresses_and_takes_bytes_alike(ours, theirs):
    said, found = the(theirs, "ApiGateway::RestApi"), the(ours, "ApiGateway::RestApi")

    assert found["MinimumCompressionSize"] == said["MinimumCompressionSize"]
    assert found["BinaryMediaTypes"] == said["Body"]["x-amazon-apigateway-binary-media-types"]


def test_the_authorizer_of_the_rest_api_reads_the_same_header(ours, theirs):
    scheme = the(theirs, "ApiGateway::RestApi")["Body"]["securityDefinitions"]["guard"]
    found = the(ours, "ApiGateway::Authorizer")

    assert found["IdentitySource"] == f"method.request.{scheme['in']}.{scheme['name']}"
    assert found["Type"] == scheme["x-amazon-apigateway-authorizer"]["type"].upper()


def test_the_apis_may_invoke_what_they_call(ours, theirs):
    def invoked(resources):
        found = [each for each in of_kind(resources, "Lambda::Permission") if each["Principal"] != "*"]
        return {(each["Action"], each["Principal"]) for each in found}

    assert invoked(ours) == invoked(theirs)
