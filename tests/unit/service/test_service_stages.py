"""Stage variables and limits, from each of their homes; function URLs; sources of events."""

from __future__ import annotations

import pytest

from bareboat.service.api import Cors, FunctionUrl, Throttle
from bareboat.service.triggers import SourceEvent

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
FUNCTION = (
    "functions:\n  predict:\n    handler: handler.predict\n    events:\n"
    "      - httpApi: GET /a\n      - httpApi: POST /b\n      - http: GET a\n      - http: ANY b\n"
)
ACCOUNT = Throttle(10_000.0, 5_000)  # API Gateway developer guide, quotas


@pytest.fixture
def apis(load):
    """Load a file and return its HTTP API and its REST API."""

    def apis(more: str, function: str = FUNCTION):
        provider = load(HEAD + function + more).provider
        return provider.http_api, provider.rest_api

    return apis


def test_limits_of_bareboat_hold_for_both_apis(apis):
    http, rest = apis("custom: {bareboat: {throttle: {rate: 10, burst: 5, routes: {ANY /b: {rate: 0.5}}}}}\n")

    assert http.throttle == rest.throttle == Throttle(10.0, 5)
    assert (dict(http.throttles), dict(rest.throttles)) == ({}, {"ANY /b": Throttle(0.5, 5)})


def test_nothing_said_is_no_limit(apis):
    http, rest = apis("")

    assert (http.throttle, rest.throttle, dict(http.throttles), dict(rest.throttles)) == (None, None, {}, {})


# serverless-api-gateway-throttling, README
def test_limits_of_the_throttling_plugin(apis):
    function = FUNCTION.replace(
        "http: GET a", "http: {path: a, method: get, throttling: {maxRequestsPerSecond: 3}}"
    ).replace("httpApi: POST /b", "httpApi: {path: /b, method: post, throttling: {disabled: true}}")

    http, rest = apis(
        "custom: {apiGatewayThrottling: {maxRequestsPerSecond: 1000, maxConcurrentRequests: 500}}\n", function
    )

    assert http.throttle == rest.throttle == Throttle(1000.0, 500)
    assert dict(rest.throttles) == {"GET /a": Throttle(3.0, 500)}
    assert dict(http.throttles) == {"POST /b": ACCOUNT}


# AWS::ApiGatewayV2::Stage in the CloudFormation reference; HttpApiStage is Serverless's logical id
@pytest.mark.parametrize("section", ["extensions", "Resources"])
def test_limits_of_the_http_stage(apis, section):
    kind = "Type: 'AWS::ApiGatewayV2::Stage', " if section == "Resources" else ""
    http, rest = apis(
        f"resources: {{{section}: {{HttpApiStage: {{{kind}Properties: {{StageVariables: {{a: 1}}, "
        "DefaultRouteSettings: {ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9}, "
        "RouteSettings: {GET /a: {ThrottlingRateLimit: 2}}}}}}\n"
    )

    assert (http.throttle, dict(http.throttles)) == (Throttle(7.0, 9), {"GET /a": Throttle(2.0, 9)})
    assert dict(http.stage_variables) == {"a": "1"}
    assert rest.throttle is None


# AWS::ApiGateway::Stage in the CloudFormation reference; custom.stageSettings is serverless-api-stage's
@pytest.mark.parametrize(
    "home",
    [
        "resources: {extensions: {ApiGatewayStage: {Properties: STAGE}}}\n",
        "custom: {stageSettings: STAGE}\n",
        "resources: {Resources: {ApiGatewayDeploymentX: {Properties: {StageDescription: STAGE}}}}\n",
    ],
)
def test_limits_of_the_rest_stage(apis, home):
    settings = (
        "[{ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 8, ThrottlingBurstLimit: 4}, "
        "{ResourcePath: /~1a, HttpMethod: GET, ThrottlingRateLimit: 1}]"
    )

    _, rest = apis(home.replace("STAGE", f"{{MethodSettings: {settings}, Variables: {{a: b}}}}"))

    assert (rest.throttle, dict(rest.throttles)) == (Throttle(8.0, 4), {"GET /a": Throttle(1.0, 4)})
    assert dict(rest.stage_variables) == {"a": "b"}


def test_stage_variables_of_bareboat_win(apis):
    http, rest = apis(
        "custom: {bareboat: {stageVariables: {color: red}}, stageSettings: {Variables: {color: blue, size: 5}}, "
        "stageVariables: {shape: !Ref AWS::Region}}\n"
    )

    assert dict(rest.stage_variables) == {"color": "red", "size": "5", "shape": "us-east-1"}
    assert dict(http.stage_variables) == {"color": "red"}


@pytest.mark.parametrize(
    ("more", "found", "fix"),
    [
        (
            "custom: {bareboat: {throttle: {routes: {GET /aa: {rate: 1}}}}}\n",
            "has the route 'GET /aa'",
            "write 'GET /a'",
        ),
        ("custom: {bareboat: {throttle: {rat: 1}}}\n", "throttle has no key 'rat'", "rename it to 'rate'"),
        ("custom: {bareboat: {throttle: {rate: -1}}}\n", "throttle.rate is -1", ""),
        ("custom: {bareboat: {throttle: {burst: many}}}\n", "throttle.burst is 'many'", ""),
        ("custom: {bareboat: {stageVariables: [a]}}\n", "custom.bareboat.stageVariables is no mapping", ""),
        (
            "resources: {extensions: {HttpApiStage: {Properties: {RouteSettings: {GET /aa: {}}}}}}\n",
            "RouteSettings has the route 'GET /aa'",
            "write 'GET /a'",
        ),
        (
            "resources: {extensions: {HttpApiStage: {Properties: {DefaultRouteSettings: {ThrottlingRateLimit: x}}}}}\n",
            "ThrottlingRateLimit is 'x'",
            "",
        ),
    ],
)
def test_a_faulty_limit_is_refused(refuse, more, found, fix):
    (problem,) = refuse(HEAD + FUNCTION + more)

    assert found in problem.found
    assert problem.fix == fix
    assert problem.where.startswith("serverless.yml:13:")


# What osls 4.3.1 writes into AWS::Lambda::Url (package/compile/functions.js)
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("true", {"auth": "NONE"}),
        ("{authorizer: aws_iam, invokeMode: RESPONSE_STREAM}", {"auth": "AWS_IAM", "invoke_mode": "RESPONSE_STREAM"}),
        (
            "{cors: true}",
            {
                "cors": Cors(
                    allowed_methods=("*",),
                    allowed_headers=(
                        "Content-Type",
                        "X-Amz-Date",
                        "Authorization",
                        "X-Api-Key",
                        "X-Amz-Security-Token",
                        "X-Amzn-Trace-Id",
                    ),
                )
            },
        ),
        (
            "{cors: {allowedOrigins: ['https://a.example'], allowedHeaders: null, allowedMethods: [GET], maxAge: 3}}",
            {"cors": Cors(("https://a.example",), ("GET",), (), max_age_s=3)},
        ),
    ],
)
def test_function_urls(function, url, expected):
    found = function(f"handler: handler.predict\nurl: {url}").url

    assert found == FunctionUrl(found.where, **expected)


def test_no_function_url(function):
    assert function("handler: handler.predict\nurl: false").url is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("sqs: arn:aws:sqs:us-east-1:1:orders", ("sqs", "orders", True, 10, False)),
        ("sqs: {arn: !GetAtt Orders.Arn, batchSize: 3, enabled: false}", ("sqs", "Orders", False, 3, False)),
        (
            "sqs: {arn: {Fn::Join: [':', [arn, orders]]}, functionResponseType: ReportBatchItemFailures}",
            ("sqs", "orders", True, 10, True),
        ),
        ("sns: news", ("sns", "news", True, 10, False)),
        ("sns: {arn: !Ref Topic, topicName: news}", ("sns", "news", True, 10, False)),
        ("sns: arn:aws:sns:us-east-1:1:news", ("sns", "news", True, 10, False)),
        ("s3: photos", ("s3", "photos", True, 10, False)),
        ("s3: {bucket: !Ref Photos, existing: true}", ("s3", "Photos", True, 10, False)),
        ("eventBridge: {pattern: {source: [a]}}", ("eventBridge", "default", True, 10, False)),
        (
            "eventBridge: {eventBus: 'arn:aws:events:us-east-1:1:event-bus/own', schedule: rate(1 day)}",
            ("eventBridge", "own", True, 10, False),
        ),
    ],
)
def test_sources_of_events(function, event, expected):
    (found,) = function(f"handler: handler.predict\nevents:\n  - {event}").events

    assert isinstance(found, SourceEvent)
    assert (found.kind, found.name, found.enabled, found.batch_size, found.reports_failures) == expected


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("sqs: {arn: a, batchSize: 0}", "batchSize is 0"),
        ("sqs: {arn: a, batchSize: 100}", "batchSize is 100 and there is no maximumBatchingWindow"),
        ("sqs: {arn: 'a:b.fifo', batchSize: 11, maximumBatchingWindow: 5}", "batchSize is 11"),
        ("sqs: {batchSize: 1}", "sqs has no arn"),
        ("sqs: {am: a}", "sqs has no key 'am'"),
        ("sns: {displayName: a}", "sns has no arn"),
        ("sns: {arn: !Ref T}", "has an arn that is CloudFormation and no topicName"),
        ("s3: {event: 's3:ObjectCreated:*'}", "s3 has no bucket"),
        ("s3: {bucket: !Ref B}", "bucket is CloudFormation, and the bucket is to be made"),
        ("s3: {bucket: b, event: ObjectCreated}", "event is 'ObjectCreated'"),
        ("s3: {bucket: b, rules: [{infix: a}]}", "rules has infix"),
        ("eventBridge: {eventBus: a}", "eventBridge has no pattern"),
    ],
)
def test_a_faulty_source_is_refused(refuse_function, event, found):
    problems = refuse_function(f"handler: handler.predict\nevents:\n  - {event}")

    assert any(found in problem.found for problem in problems)
    assert all(problem.where.startswith("serverless.yml:9:") for problem in problems)
