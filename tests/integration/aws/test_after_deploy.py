"""info, invoke, smoke, logs, metrics and diff on a service that is deployed to the test cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bareboat.aws.client import Aws
from bareboat.cli.root import bareboat
from bareboat.service import load_service

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

YML = """\
service: shop
provider:
  name: aws
  runtime: python3.11
  architecture: x86_64
  environment: {GREETING: hi}
  apiGateway: {apiKeys: [{name: mine, value: abcdefghij0123456789klmn}]}
functions:
  hello:
    handler: app.hello
    events: [{httpApi: GET /hello}]
  sum:
    handler: app.add
    samples: [{body: '{"a": 1, "b": 2}'}]
    events: [{httpApi: POST /sum}, {http: {path: sum, method: post, private: true}}]
  logging:
    handler: app.hello
  own:
    handler: app.hello
    samples: [{queryStringParameters: {a: '1'}}]
    url: {authorizer: aws_iam}
"""
APP = """\
import json, os

def hello(event, context):
    print("called")
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError("as asked")
    return {"greeting": os.environ["GREETING"]}

def add(event, context):
    body = json.loads(event["body"])
    return {"statusCode": 200, "body": json.dumps({"sum": body["a"] + body["b"], "proba": [0.25]})}
"""


class Shop:
    """A deployed service, and a way to type commands about it."""

    def __init__(self, aws: Aws, cloud: AwsCloud, home: Path) -> None:
        self.aws = aws
        self.cloud = cloud
        self.home = home

    def __call__(self, *words: str, code: int = 0) -> Result:
        """Type a command, which must end with this code."""
        result = CliRunner().invoke(bareboat, [*words, "-c", str(self.home)], prog_name="bareboat")
        assert result.exit_code == code, f"{result.exit_code}: {result.stderr}\n{result.stdout}"
        self.cloud.settle()
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code).stdout)


def deploy(aws: Aws, cloud: AwsCloud, home: Path, stage: str = "dev") -> None:
    from aws_cloud.by_hand import applied, created, settled

    from bareboat.artifact import build_here, targets_here
    from bareboat.aws.bucket import find_bucket
    from bareboat.aws.parcels import make_shipment, parcels_of
    from bareboat.aws.template.build import bucket_template, make_template
    from bareboat.aws.upload import upload

    service = load_service(home, env={}, stage=stage)
    cloud.serve(service)
    artifacts = {one.path: one for one in build_here(service, targets_here(service)[0]).values()}.values()
    created(aws, service.provider.stack_name, bucket_template(service))
    settled(aws, service.provider.stack_name)
    bucket = find_bucket(aws, service)
    assert bucket is not None
    upload(aws, bucket, parcels_of(service, artifacts, ()))
    shipment = make_shipment(service, artifacts, (), None)
    stack = applied(aws, service.provider.stack_name, make_template(service, shipment))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"


@pytest.fixture(scope="module")
def shop(_aws_cloud: AwsCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A service that is deployed once for all tests of this file, which leave it as it is."""
    place = tmp_path_factory.mktemp("shop")
    home = project(place / "shop")
    _aws_cloud.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**_aws_cloud.env(place), "BAREBOAT_CACHE_DIR": str(place / "cache")}.items():
            patch.setenv(name, value)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        aws = Aws(_aws_cloud.region, attempts=3, read_s=10)
        deploy(aws, _aws_cloud, home)
        yield Shop(aws, _aws_cloud, home)
    _aws_cloud.heal()
    _aws_cloud.settle()


def project(home: Path, yml: str = YML, app: str = APP) -> Path:
    home.mkdir()
    (home / "serverless.yml").write_text(yml)
    (home / "app.py").write_text(app)
    return home


def test_info_tells_what_is_deployed(shop: Shop) -> None:
    text = shop("info").stdout
    found = shop.json("info")

    assert re.search(r"^stack +shop-dev +UPDATE_COMPLETE$", text, re.MULTILINE)
    assert re.search(
        r"^GET +https://\w+\.execute-api\.us-east-1\.amazonaws\.com/hello +hello +open$", text, re.MULTILINE
    )
    assert re.search(r"^POST +https://\w+\.execute-api\S+/dev/sum +sum +API key$", text, re.MULTILINE)
    assert re.search(r"^ANY +https://\w+\.lambda-url\.us-east-1\.on\.aws/ +own +AWS_IAM$", text, re.MULTILINE)
    assert {one["name"]: one["runtime"] for one in found["functions"]} == dict.fromkeys(
        ("hello", "sum", "logging", "own"), "python3.11"
    )
    assert all(one["version"] == "1" and one["is_published"] for one in found["functions"])
    assert len(found["endpoints"]) == 4


def test_a_stage_that_is_not_deployed_is_told(shop: Shop) -> None:
    for command in ("info", "smoke", "logs", "metrics"):
        result = shop(command, "--stage", "other", code=3)

        assert "shop is not deployed: us-east-1 has no stack shop-other" in result.stderr


def test_invoke_shows_answer_and_log(shop: Shop) -> None:
    result = shop("invoke", "-f", "hello", "-d", "{}")

    assert json.loads(result.stdout) == {"greeting": "hi"}
    assert "called" in result.stderr
    assert "REPORT RequestId: " in result.stderr


def test_invoke_of_a_function_that_has_another_name_by_now(shop: Shop, tmp_path: Path) -> None:
    renamed = Shop(shop.aws, shop.cloud, project(tmp_path / "renamed", YML.replace("  hello:\n", "  greet:\n")))

    assert json.loads(renamed("invoke", "-f", "hello").stdout) == {"greeting": "hi"}
    assert "has no function 'nope'" in renamed("invoke", "-f", "nope", code=2).stderr


def test_invoke_of_a_function_that_fails_ends_with_1(shop: Shop) -> None:
    result = shop("invoke", "-f", "hello", "-d", '{"fail": true}', code=1)

    assert json.loads(result.stdout)["errorMessage"] == "as asked"


def test_invoke_without_waiting_and_of_what_is_not_there(shop: Shop) -> None:
    assert "taken as request" in shop("invoke", "-f", "hello", "-d", "{}", "--type", "Event").stderr
    assert shop.json("invoke", "-f", "hello", "-d", "{}", "--qualifier", "1")["version"] == "1"
    assert (
        "has no function shop-dev-hello:9"
        in shop("invoke", "-f", "hello", "-d", "{}", "--qualifier", "9", code=3).stderr
    )


def test_smoke_tries_every_kind_of_route(shop: Shop) -> None:
    found = shop.json("smoke")

    assert {(one["api"], one["route"], one["status"], one["same"]) for one in found["tried"]} == {
        ("httpApi", "GET /hello", 200, True),
        ("httpApi", "POST /sum", 200, True),
        ("http", "POST /sum", 200, True),
        ("url", "ANY /", 200, True),
    }
    assert found["untried"] == []


def test_smoke_shows_what_differs(shop: Shop, tmp_path: Path) -> None:
    changed = Shop(shop.aws, shop.cloud, project(tmp_path / "shop", app=APP.replace("0.25", "0.5")))

    result = changed("smoke", "-f", "sum", code=1)

    assert "DIFFERS" in result.stdout
    assert "body.proba[0]\n    live    0.25\n    local   0.5" in result.stderr


def test_logs_and_metrics_tell_of_what_ran(shop: Shop) -> None:
    for event in ("{}", '{"fail": true}', "{}"):
        shop("invoke", "-f", "logging", "-d", event, code=1 if "fail" in event else 0)

    assert len(re.findall(r"logging +called", shop("logs", "--grep", "called").stdout)) == 3
    failed = shop.json("logs", "--errors", "-f", "logging")
    assert len({line["requestId"] for line in failed}) == 1
    assert any("as asked" in line["message"] for line in failed)
    assert shop("logs", "-f", "logging", "--since", "2026-01-01", "--until", "2026-01-02").stdout == ""
    found = shop.json("metrics", "-f", "logging")
    (figures,) = found["functions"]
    assert (figures["invocations"], figures["errors"], figures["cold_starts"]) == (3, 1, 1)
    assert figures["duration"]["p50"] > 0
    assert figures["max_memory_mb"] > 0
    assert {line["item"]: line["quantity"] for line in found["cost"]["lines"]}["Lambda requests"] == 3
    assert "cost this month" in shop("metrics", "--chart").stdout


def test_diff_of_two_stages(shop: Shop, tmp_path: Path) -> None:
    text = YML.replace("handler: app.add", "handler: app.add\n    memorySize: 2048")
    text = text.replace("value: abc", "value: xyz")  # a key's value can be of one key alone
    deploy(shop.aws, shop.cloud, project(tmp_path / "shop", text), "prod")
    shop.cloud.serve(load_service(shop.home, env={}))

    result = shop("diff", "dev", "prod")
    found = shop.json("diff", "prod")

    assert re.search(r"SumLambdaFunction +MemorySize +1024 +2048$", result.stdout, re.MULTILINE)
    assert {(row["kind"], row["path"], row["one"]) for row in found["differences"]} == {
        ("AWS::Lambda::Function", "MemorySize", "1024"),
        ("AWS::ApiGateway::ApiKey", "Value", "(not shown)"),
    }


def test_a_deployment_may_be_tried_at_once(shop: Shop, tmp_path: Path) -> None:
    # A key without a value: AWS makes one.
    text = YML.replace(", value: abcdefghij0123456789klmn", "").replace("service: shop", "service: tried")
    tried = Shop(shop.aws, shop.cloud, project(tmp_path / "tried", text))
    shop.cloud.serve(load_service(tried.home, env={}))

    result = tried("deploy", "--yes", "--smoke")

    assert "tried-dev is deployed, version 1" in result.stdout
    assert result.stdout.count("  same ") == 4
    assert "4 of 4 answers are the local artifact's" in result.stderr
    assert "POST /sum (HTTP API)" in result.stdout
    assert "POST /sum (REST API)" in result.stdout
    again = tried.json("deploy", "--yes", "--smoke")
    assert again["changed"] is False
    assert [one["same"] for one in again["smoke"]["tried"]] == [True] * 4
    assert "--plan deploys nothing" in tried("deploy", "--plan", "--smoke", code=2).stderr
