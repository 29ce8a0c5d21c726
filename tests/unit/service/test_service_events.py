"""Events: routes of both APIs, schedules, and the rest."""

from __future__ import annotations

import pytest

from bareboat.errors import ConfigurationError
from bareboat.service.triggers import HttpApiEvent, HttpEvent, OtherEvent, ScheduleEvent


@pytest.fixture
def events(function):
    def events(body: str):
        lines = "\n".join(f"  {line}" for line in body.strip("\n").splitlines())
        return function(f"handler: handler.predict\nevents:\n{lines}").events

    return events


@pytest.fixture
def refuse_events(refuse_function):
    def refuse_events(body: str):
        lines = "\n".join(f"  {line}" for line in body.strip("\n").splitlines())
        return refuse_function(f"handler: handler.predict\nevents:\n{lines}")

    return refuse_events


# Serverless Framework v3, guide "HTTP API (API Gateway v2)"; route keys: API Gateway developer guide
@pytest.mark.parametrize(
    ("event", "method", "path", "route_key"),
    [
        ("- httpApi: 'POST /predict'", "POST", "/predict", "POST /predict"),
        ("- httpApi: post /predict", "POST", "/predict", "POST /predict"),
        ("- httpApi: '*'", "*", "*", "$default"),
        ("- httpApi: {path: /predict, method: post}", "POST", "/predict", "POST /predict"),
        ("- httpApi: {path: /x, method: '*'}", "*", "/x", "ANY /x"),
        ("- httpApi: {path: /x, method: any}", "*", "/x", "ANY /x"),
        ("- httpApi: ANY /x", "*", "/x", "ANY /x"),
        ("- httpApi: {path: '*'}", "*", "*", "$default"),
        ("- httpApi: {path: '*', method: '*'}", "*", "*", "$default"),
        ("- httpApi: 'GET /items/{id}/parts/{part+}'", "GET", "/items/{id}/parts/{part+}", None),
        ("- httpApi: GET /", "GET", "/", "GET /"),
    ],
)
def test_http_api_is_read_in_every_form(events, event, method, path, route_key):
    (found,) = events(event)

    assert isinstance(found, HttpApiEvent)
    assert (found.method, found.path) == (method, path)
    assert found.route_key == (route_key or f"{method} {path}")


def test_http_api_knows_its_place(events):
    (found,) = events("- httpApi: POST /predict")

    assert str(found.where) == "serverless.yml:9:18"


# Serverless Framework v3, guide "REST API (API Gateway v1)"
@pytest.mark.parametrize(
    ("event", "method", "path"),
    [
        ("- http: GET hello", "GET", "/hello"),
        ("- http: get /hello", "GET", "/hello"),
        (
            "- http: {path: items/{id}, method: put, cors: true}".replace("items/{id}", "'items/{id}'"),
            "PUT",
            "/items/{id}",
        ),
        ("- http: 'ANY {proxy+}'", "*", "/{proxy+}"),
        ("- http: {path: '', method: get}", "GET", "/"),
    ],
)
def test_http_is_read_in_every_form(events, event, method, path):
    (found,) = events(event)

    assert isinstance(found, HttpEvent)
    assert (found.method, found.path) == (method, path)


def test_http_keeps_what_a_deployment_needs(events):
    (found,) = events("- http: {path: a, method: get, operationId: getA, connectionType: vpc-link}")

    assert found.options == {"operationId": "getA", "connectionType": "vpc-link"}


def test_schedules_are_read_in_every_form(events):
    found = events(
        """
- schedule: rate(5 minutes)
- schedule: {rate: cron(0 12 * * ? *), enabled: false, input: {a: 1}}
- schedule:
    rate: [rate(1 hour), 'cron(0 10 ? * MON-FRI *)']
    method: scheduler
    timezone: Europe/Amsterdam
"""
    )

    assert all(isinstance(event, ScheduleEvent) for event in found)
    assert [event.rates for event in found] == [
        ("rate(5 minutes)",),
        ("cron(0 12 * * ? *)",),
        ("rate(1 hour)", "cron(0 10 ? * MON-FRI *)"),
    ]
    assert (found[1].enabled, found[1].input) == (False, {"a": 1})
    assert found[2].options == {"method": "scheduler", "timezone": "Europe/Amsterdam"}


@pytest.mark.parametrize(
    ("event", "kind", "config"),
    [
        (
            "- stream: {arn: !GetAtt T.StreamArn, type: dynamodb}",
            "stream",
            {"arn": {"Fn::GetAtt": ["T", "StreamArn"]}, "type": "dynamodb"},
        ),
        (
            "- rabbitmq: {arn: a, basicAuthArn: s, queue: q}",
            "rabbitmq",
            {"arn": "a", "basicAuthArn": "s", "queue": "q"},
        ),
        ("- cloudwatchEvent: {event: {source: [aws.ec2]}}", "cloudwatchEvent", {"event": {"source": ["aws.ec2"]}}),
        ("- cloudwatchLog: /aws/lambda/hello", "cloudwatchLog", "/aws/lambda/hello"),
    ],
)
def test_other_events_are_kept_as_written(events, event, kind, config):
    (found,) = events(event)

    assert isinstance(found, OtherEvent)
    assert (found.kind, found.config) == (kind, config)


@pytest.mark.parametrize("event", ["stream: arn:aws:dynamodb:x", "cloudwatchLog: /a", "cloudwatchEvent: {event: {}}"])
def test_what_nothing_here_fires_is_a_warning(load, event):
    text = f"""
        service: demo
        provider: {{name: aws, runtime: python3.13}}
        functions:
          a:
            handler: handler.predict
            events:
              - {event}
        """

    (note,) = load(text).notes

    assert note.level == "warning"
    assert f"{event.partition(':')[0]} is not served locally: " in note.text
    assert note.where.startswith("serverless.yml:8:")


@pytest.mark.parametrize(
    "kind",
    ["websocket", "alb", "cloudFront", "iot", "alexaSkill", "cognitoUserPool", "kafka", "msk", "activemq"],
)
def test_events_out_of_scope_are_refused_by_name(refuse_events, kind):
    (with_settings,) = refuse_events(f"- {kind}: {{a: 1}}")
    (bare,) = refuse_events(f"- {kind}")

    assert with_settings.found.startswith(f"event '{kind}' is refused")
    assert bare.found == with_settings.found


@pytest.mark.parametrize(
    ("event", "found", "where"),
    [
        ("- httpApi: POST predict", "path 'predict' does not begin with '/'", "9:18"),
        ("- httpApi: predict", "'predict' is no route", "9:18"),
        ("- httpApi: FETCH /a", "'FETCH' is no method", "9:18"),
        ("- httpApi: {path: /a}", "httpApi has no method", "9:18"),
        ("- httpApi: {method: get}", "httpApi has no path", "9:18"),
        ("- httpApi: {path: '*', method: get}", "the path '*' with the method GET", "9:25"),
        ("- httpApi: 'GET /{a+}/b'", "goes on after the greedy '{a+}'", "9:18"),
        ("- httpApi: 'GET /{a}/{a}'", "has {a} twice", "9:18"),
        ("- httpApi: 'GET /x{a}'", "has 'x{a}'", "9:18"),
        ("- httpApi: 'GET /{a'", "has '{a'", "9:18"),
        ("- httpApi: 'GET /{}'", "has the parameter '{}'", "9:18"),
        ("- httpApi: 'GET /a?b'", "has 'a?b'", "9:18"),
        ("- httpApi: {path: /a, method: get, methd: x}", "httpApi has no key 'methd'", "9:42"),
        ("- httpApi: {path: /a, methd: get}", "httpApi has no key 'methd'", "9:29"),
        ("- http: {paht: /a, method: get}", "http has no key 'paht'", "9:16"),
        ("- httpApi:", "is an empty 'httpApi'", "9:9"),
        ("- httpApi: [a]", "httpApi is a list", "9:18"),
        ("- http: GET a b", "has 'a b'", None),
        ("- schedule: every day", "'every day' is no schedule", "9:19"),
        ("- schedule: rate(1 minutes)", "'rate(1 minutes)' is no schedule", "9:19"),
        ("- schedule: {enabled: true}", "schedule has no rate", "9:19"),
        ("- schedule: cron(0 12 * * * *)", "has a day of month and a day of week", "9:19"),
        ("- schedule: cron(61 12 * * ? *)", "has the minutes '61'", "9:19"),
        ("- schedule: at(2030-01-01T00:00:00)", "fires once", "9:19"),
        ("- schedule: {rate: rate(1 day), timezone: UTC}", "schedule has timezone", "9:39"),
        ("- schedule: {rate: rate(1 day), method: scheduler, timezone: Mars/X}", "no time zone 'Mars/X'", None),
        ("- schedule: {rate: rate(1 day), method: scheduler, inputPath: $.a}", "schedule has inputPath", "9:58"),
        ("- schedule: {rate: rate(1 day), input: {a: 1}, inputPath: $.a}", "has input and inputPath", "9:54"),
        ("- schedule: {rate: [rate(1 day), rate(1 hour)], name: a}", "has a name and 2 rates", "9:55"),
        ("- sqz: a", "unknown event 'sqz'", "9:9"),
        ("- httpApi: {path: /a, method: get, authorizer: nobody}", "asks for the authorizer 'nobody'", "9:54"),
    ],
)
def test_a_faulty_event_is_refused_with_its_place(refuse_events, event, found, where):
    (problem,) = refuse_events(event)

    assert found in problem.found or (where is None and "is no route" in problem.found)
    assert where is None or problem.where == f"serverless.yml:{where}"


def test_an_event_that_is_not_indented_is_explained(refuse_events):
    (problem,) = refuse_events("- httpApi:\n  path: /a\n  method: get")

    assert problem.found == "functions.predict.events[0] has 3 keys: httpApi, path, method"
    assert problem.fix == "indent path, method below httpApi"


def test_a_route_that_two_functions_claim_is_refused(refuse):
    (problem,) = refuse(
        """
        service: demo
        provider: {name: aws, runtime: python3.13}
        functions:
          a:
            handler: handler.predict
            events: [{httpApi: GET /x}, {httpApi: POST /x}]
          b:
            handler: handler.predict
            events: [{httpApi: {path: /x, method: get}}]
        """
    )

    assert problem.found == "functions.b has the route GET /x again"
    assert problem.where == "serverless.yml:10:24"
    assert "serverless.yml:7:24" in problem.expected


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("stream: {batchSize: 5}", "has no arn"),
        ("stream: {arn: !GetAtt T.StreamArn}", "does not say what stream it is"),
        ("stream: {arn: 'arn:aws:kinesis:r:1:stream/s', batchSiz: 1}", "has no key 'batchSiz'"),
        ("cloudwatchLog: {filter: ERROR}", "has no logGroup"),
        ("cloudwatchEvent: {name: x}", "has no event"),
        ("rabbitmq: {arn: a, queue: q}", "has no basicAuthArn"),
    ],
    ids=["stream", "kind", "key", "group", "pattern", "secret"],
)
def test_what_an_event_that_nothing_here_fires_needs_is_told(load, event, found):
    text = f"""
        service: demo
        provider: {{name: aws, runtime: python3.13}}
        functions:
          a:
            handler: handler.predict
            events:
              - {event}
        """

    with pytest.raises(ConfigurationError) as refused:
        load(text)

    assert found in str(refused.value)
