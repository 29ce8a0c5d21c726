"""`smoke` against the local cloud as the live endpoint: what it sends, what it compares, what it cannot try."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from bareboat.artifact import build_here, targets_here
from bareboat.aws.agreement import Answer
from bareboat.aws.client import AwsError
from bareboat.aws.deployed import LiveFunction, LiveRoute
from bareboat.aws.smoke import is_settling, smoke
from bareboat.service import load_service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

HANDLER = """\
import json, time

def predict(event, context):
    body = json.loads(event["body"])
    return {"statusCode": 200, "body": json.dumps({"label": body["x"], "proba": [0.1, 0.9], "at": time.time()})}

def item(event, context):
    return {"statusCode": 200, "body": json.dumps({"id": event["pathParameters"]["id"], "who": context.aws_request_id})}

def health(event, context):
    return {"ok": True}

def denied(event, context):
    return {"ok": True}

def own(event, context):
    return {"q": event.get("queryStringParameters")}

def rest(event, context):
    return {"statusCode": 201, "body": json.dumps({"got": json.loads(event["body"])})}
"""
SERVICE = """\
service: shop
provider:
  name: aws
  runtime: python3.13
  httpApi:
    authorizers:
      people:
        identitySource: $request.header.Authorization
        issuerUrl: https://issuer.example
        audience: me
functions:
  predict:
    handler: app.predict
    samples: [{body: '{"x": "setosa"}'}]
    events: [{httpApi: POST /predict}]
  item:
    handler: app.item
    samples: [{pathParameters: {id: a b}}, {requestContext: {http: {method: GET, path: /items/7}}, rawPath: /items/7}]
    events: [{httpApi: 'GET /items/{id}'}, {httpApi: 'DELETE /items/{id}/{part}'}]
  health: {handler: app.health, events: [{httpApi: GET /health}, {httpApi: POST /health}]}
  denied:
    handler: app.denied
    events: [{httpApi: {method: GET, path: /denied, authorizer: {name: people}}}]
  own:
    handler: app.own
    url: true
    samples: [{queryStringParameters: {a: '1'}}]
  rest:
    handler: app.rest
    samples: [{body: '{"n": 1}'}]
    events: [{http: POST /rest}]
"""


def project(folder, handler=HANDLER, service=SERVICE):
    folder.mkdir()
    (folder / "serverless.yml").write_text(service)
    (folder / "app.py").write_text(handler)
    return folder


class Live:
    """A service as it lives on a local cloud, in the place of AWS."""

    def __init__(self, service, urls, functions=None):
        self.service = service
        self.functions = tuple(
            LiveFunction(name, f"shop-dev-{name}", name, f"/aws/lambda/shop-dev-{name}") for name in service.functions
        )
        bases = {"httpApi": urls.get("httpApi", ""), "http": urls.get("rest", "")}
        found = []
        for one in service.functions.values():
            for event in one.events:
                if isinstance(event, HttpApiEvent | HttpEvent):
                    api = "httpApi" if isinstance(event, HttpApiEvent) else "http"
                    auth = "JWT" if event.authorizer is not None else "NONE"
                    found.append(
                        LiveRoute(api, event.route_key, event.method, event.path, one.name, auth, False, bases[api])
                    )
            if one.url is not None:
                base = urls[f"url:{one.name}"]
                found.append(LiveRoute("url", "ANY /", "ANY", "/", one.name, "NONE", False, base))
        self.routes = tuple(found)

    def physical_of(self, kind):
        return []


class NoLogs:
    """An AWS that lets nobody into its logs: cold starts are not known."""

    region = "us-east-1"
    endpoint = ""

    def pages(self, service, operation, key, /, **_):
        assert (service, operation) == ("logs", "filter_log_events")
        raise AwsError("no", code="AccessDeniedException", operation="logs:FilterLogEvents")


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return NoLogs()


def tried(live_folder, folder, quiet, cloud_of, **more):
    service = load_service(folder)
    artifacts = build_here(service, targets_here(service)[0])
    with cloud_of(live_folder) as cloud:
        return smoke(quiet, Live(service, cloud.urls), artifacts, sleep=lambda _: None, **more)


def test_every_route_that_can_be_is_tried_and_answers_alike(tmp_path, quiet, cloud_of):
    folder = project(tmp_path / "shop")

    found = tried(folder, folder, quiet, cloud_of)

    assert [(one.trial.target.key, one.trial.asked.path, one.live.status) for one in found.tried] == [
        ("POST /predict", "/predict", 200),
        ("GET /items/{id}", "/items/a%20b", 200),
        ("GET /items/{id}", "/items/7", 200),
        ("GET /health", "/health", 200),
        ("ANY /", "/", 200),
        ("POST /rest", "/rest", 201),
    ]
    assert all(one.agrees for one in found.tried), [one.agreement for one in found.tried]
    assert found.tried[0].agreement.ignored == 1, "the time of day is of no code"
    assert [(one.target.key, one.why) for one in found.untried] == [
        ("DELETE /items/{id}/{part}", "samples[1] is GET /items/7"),
        ("POST /health", "there is no sample of a request"),
        ("GET /denied", "the authorizer people wants a token"),
    ]


def test_what_differs_is_told_part_by_part(tmp_path, quiet, cloud_of):
    live = project(tmp_path / "live", HANDLER.replace("[0.1, 0.9]", "[0.2, 0.8]").replace('{"ok": True}', '{"ok": 1}'))
    folder = project(tmp_path / "shop")

    found = tried(live, folder, quiet, cloud_of, function="predict")

    (one,) = found.tried
    assert not one.agrees
    assert [(each.part, each.live, each.local) for each in one.agreement.differences] == [
        ("body.proba[0]", "0.2", "0.1"),
        ("body.proba[1]", "0.8", "0.9"),
    ]


def test_a_function_that_fails_live_is_told_with_both_statuses(tmp_path, quiet, cloud_of):
    live = project(tmp_path / "live", HANDLER.replace('return {"ok": True}', "raise ValueError(1)", 1))
    folder = project(tmp_path / "shop")

    found = tried(live, folder, quiet, cloud_of, function="health")

    differences = {each.part: (each.live, each.local) for each in found.tried[0].agreement.differences}
    assert differences["status"] == ("500", "200")


def test_a_function_that_fails_both_here_and_there_does_not_pass(tmp_path, quiet, cloud_of):
    folder = project(tmp_path / "shop", HANDLER.replace('return {"ok": True}', "raise ValueError(1)", 1))

    found = tried(folder, folder, quiet, cloud_of, function="health")

    assert [(one.live.status, one.agrees, one.fails, one.passes) for one in found.tried] == [(500, True, True, False)]


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (Answer(404, b'{"message":"Not Found"}'), True),
        (Answer(403, b'{"Message":"Forbidden"}'), True),
        (Answer(404, b'{"message":"Not Found","id":7}'), False),
        (Answer(404, b'{"message":"no such order"}'), False),
        (Answer(503, b"busy"), False),
        (Answer(500, b'{"message":"Internal Server Error"}'), False),
        (Answer(0, b"", {}, "no answer: Read timed out"), False),
        (Answer(0, b"", {}, "no connection: refused"), True),
    ],
)
def test_only_what_called_no_function_is_sent_again(answer, again):
    assert is_settling(answer) is again


def test_an_endpoint_that_does_not_answer_is_a_difference(tmp_path, quiet, cloud_of):
    folder = project(tmp_path / "shop")
    service = load_service(folder)
    artifacts = build_here(service, targets_here(service)[0])
    nowhere = {"httpApi": "http://127.0.0.1:9", "rest": "", "url:own": ""}
    pauses = []

    found = smoke(quiet, Live(service, nowhere), artifacts, function="health", sleep=pauses.append)

    (one,) = found.tried
    assert (one.live.status, one.agrees) == (0, False)
    assert "no connection" in one.live.failure
    assert len(pauses) == 3


def test_a_route_that_is_not_deployed_yet_is_told(tmp_path, quiet):
    folder = project(tmp_path / "shop")
    service = load_service(folder)
    live = Live(service, {"url:own": ""})
    live.routes = ()

    found = smoke(quiet, live, {}, function="health")

    assert [(one.target.key, one.why, one.fix) for one in found.untried] == [
        ("GET /health", "it is not deployed", "bareboat deploy"),
        ("POST /health", "it is not deployed", "bareboat deploy"),
    ]


def test_a_model_is_tried_without_a_sample(tmp_path, quiet, cloud_of, repository):
    folder = tmp_path / "iris"
    shutil.copytree(repository / "src" / "bareboat" / "templates" / "lightgbm-iris", folder)
    (folder / "event.json").unlink()
    text = (folder / "serverless.yml").read_text()
    (folder / "serverless.yml").write_text(text.replace("    samples: [event.json]\n", ""))

    found = tried(folder, folder, quiet, cloud_of)

    (one,) = found.tried
    assert (one.trial.sample, one.live.status, one.agrees) == ("made up", 200, True)
    assert set(json.loads(one.live.body)) == {"proba", "label"}


def test_another_model_is_seen_by_its_scores(tmp_path, quiet, cloud_of, repository):
    home = repository / "src" / "bareboat" / "templates" / "lightgbm-iris"
    for name in ("live", "iris"):
        shutil.copytree(home, tmp_path / name)
    model = tmp_path / "live" / "lgb.model"
    text = model.read_text()
    at = text.index("leaf_value=") + len("leaf_value=")
    end = text.index(" ", at)
    digit = next(place for place in range(at, end) if text[place] in "12345678")
    model.write_text(f"{text[:digit]}{int(text[digit]) + 1}{text[digit + 1 :]}")  # of as many bytes

    found = tried(tmp_path / "live", tmp_path / "iris", quiet, cloud_of)

    parts = {each.part.partition("[")[0] for one in found.tried for each in one.agreement.differences}
    assert "x-model-version" in parts or "body.proba" in parts
    assert not all(one.agrees for one in found.tried)


def test_a_token_is_handed_over_and_its_claims_seen(tmp_path, quiet):
    folder = project(tmp_path / "shop")
    service = load_service(folder)
    live = Live(service, {"url:own": ""})
    live.routes = tuple(replace(one, base="http://127.0.0.1:9") for one in live.routes)
    artifacts = build_here(service, targets_here(service)[0])

    found = smoke(
        quiet, live, artifacts, function="denied", headers=[("Authorization", "Bearer x.e30.z")], sleep=lambda _: None
    )

    assert [one.trial.target.key for one in found.tried] == ["GET /denied"]
    assert found.tried[0].local.status == 200
