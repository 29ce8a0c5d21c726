"""A gradual rollout: two change sets, the errors of both versions compared in between, and the way back."""

from __future__ import annotations

import json
import time

import pytest

from bareboat.aws.bucket import find_bucket
from bareboat.aws.client import AwsError
from bareboat.aws.live import look, prepared
from bareboat.aws.parcels import make_shipment, parcels_of
from bareboat.aws.plan import make_plan
from bareboat.aws.progress import Progress
from bareboat.aws.rollback import plan_rollback, roll_back
from bareboat.aws.rollout import TakenBackError, canary_of, roll_out
from bareboat.aws.stack import stack_template
from bareboat.aws.template.build import make_template
from bareboat.aws.upload import upload
from bareboat.aws.versions import read_versions
from bareboat.errors import ConfigurationError, RemoteError
from bareboat.service.deploying import Canary

CANARY = "custom: {bareboat: {canary: 10%/5m}}\n"


class Time:
    """A clock that a pause moves; something is done at each pause of the trial."""

    def __init__(self, then):
        self.now = time.time()
        self.then = then
        self.paused_s = 0.0

    def sleep(self, seconds):
        if seconds > 1:
            self.now += seconds
            self.paused_s += seconds
            self.then()
        else:
            time.sleep(min(seconds, 0.05))


class Noting(Progress):
    """Keeps what it is told."""

    def __init__(self, notes):
        super().__init__()
        self.notes = [] if notes is None else notes

    def note(self, text):
        self.notes.append(text)


def try_out(stage, text, then=lambda: None, notes=None):
    """Deploy with a canary, and return the clock and what came of it."""
    service = stage.service
    artifacts = [stage.artifact(service, text)]
    names = [one.full_name for one in service.functions.values()]
    live = prepared(stage.aws, service, look(stage.aws, service, names), progress=Progress())
    shipment = make_shipment(service, artifacts)
    plan = make_plan(stage.aws, service, make_template(service, shipment), live)
    clock = Time(then)

    def send(bucket):
        upload(stage.aws, bucket, parcels_of(service, artifacts))

    def run():
        return roll_out(
            stage.aws,
            plan,
            shipment,
            Canary(0.1, 300.0),
            send=send,
            progress=Noting(notes),
            sleep=clock.sleep,
            clock=lambda: clock.now,
        )

    return clock, run


def alias(stage):
    said = stage.aws.call("lambda", "get_alias", FunctionName="demo-dev-hello", Name="live")
    return said["FunctionVersion"], (said.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def measured(stage, version, calls, errors):
    """Say to CloudWatch what a version did."""
    dimensions = [
        {"Name": "FunctionName", "Value": "demo-dev-hello"},
        {"Name": "Resource", "Value": "demo-dev-hello:live"},
        {"Name": "ExecutedVersion", "Value": version},
    ]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": time.time()}
        for name, value in (("Invocations", calls), ("Errors", errors))
    ]
    stage.aws.call("cloudwatch", "put_metric_data", Namespace="AWS/Lambda", MetricData=data)


def states(stage):
    found = read_versions(stage.aws, find_bucket(stage.aws, stage.service), stack_template(stage.aws, "demo-dev"))
    return [(one.name, one.state, one.record.action) for one in found.all]


@pytest.fixture
def tried(stage):
    stage.yaml += CANARY
    stage.deploy("one")
    return stage


def test_a_new_version_gets_a_share_and_then_all(tried):
    seen = []

    def during():
        if not seen:
            seen.append(alias(tried))
            measured(tried, "1", 90, 1)
            measured(tried, "2", 10, 0)

    clock, run = try_out(tried, "two", during)
    deployment = run()

    assert seen == [("1", {"2": 0.1})]
    assert alias(tried) == ("2", {})
    assert 300 <= clock.paused_s <= 400
    assert deployment.record.number == 3
    assert states(tried) == [("1", "kept", "deploy"), ("2", "kept", "canary"), ("3", "live", "deploy")]
    assert plan_rollback(tried.aws, tried.service).version.name == "1"


def test_a_new_version_that_fails_more_often_is_taken_back_early(tried):
    def during():
        measured(tried, "1", 90, 1)
        measured(tried, "2", 10, 3)

    clock, run = try_out(tried, "two", during)
    with pytest.raises(TakenBackError, match="version 2: 3 of 10 calls failed") as error:
        run()

    assert clock.paused_s < 60
    assert tried.code() == tried.sha("one")
    assert alias(tried)[1] == {}
    assert error.value.deployment.record.restores == 1
    assert states(tried)[-1] == ("3", "live", "rollback")


def test_a_rollout_that_was_killed_is_taken_back_by_rollback_and_further_by_deploy(tried):
    def killed():
        raise KeyboardInterrupt

    _, run = try_out(tried, "two", killed)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert alias(tried)[1] == {"2": 0.1}

    found = plan_rollback(tried.aws, tried.service)
    roll_back(tried.aws, found)
    assert found.version.name == "1"
    assert (tried.code(), alias(tried)[1]) == (tried.sha("one"), {})

    _, run = try_out(tried, "three", killed)
    with pytest.raises(KeyboardInterrupt):
        run()
    tried.deploy("three")
    assert (tried.code(), alias(tried)[1]) == (tried.sha("three"), {})


def test_what_runs_behind_no_alias_yet_is_deployed_at_once(stage):
    stage.deploy("one")
    stage.yaml += CANARY

    clock, run = try_out(stage, "two")
    run()

    assert clock.paused_s == 0
    assert alias(stage) == ("2", {})


def test_the_flag_needs_the_alias(stage):
    with pytest.raises(ConfigurationError, match="needs an alias"):
        canary_of(stage.service, "10%/5m")
    stage.yaml += CANARY
    assert canary_of(stage.service, None) == Canary(0.1, 300.0)
    assert canary_of(stage.service, "50%/30s") == Canary(0.5, 30.0)
    assert canary_of(stage.service, "off") is None
    for wrong in ("10", "0%/5m", "100%/5m", "10%/13h", "10%/0s", "5m"):
        with pytest.raises(ConfigurationError, match="the canary is"):
            canary_of(stage.service, wrong)


def test_what_cannot_be_watched_says_what_stands_and_what_to_do(tried, aws_cloud):
    aws_cloud.fail("cloudwatch:GetMetricStatistics", "refuse", times=0)
    _, run = try_out(tried, "two")

    with pytest.raises(RemoteError, match="cannot be watched") as caught:
        run()

    aws_cloud.heal()
    assert "keep that" in str(caught.value)
    assert "bareboat rollback takes them back" in caught.value.problems[0].fix
    assert alias(tried) == ("1", {"2": 0.1})


def made_meanwhile(stage):
    """Let somebody else add a bucket to the stack."""
    template = json.loads(json.dumps(stack_template(stage.aws, "demo-dev")))
    template["Resources"]["Orders"] = {"Type": "AWS::S3::Bucket"}
    stage.aws.call(
        "cloudformation",
        "update_stack",
        StackName="demo-dev",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stage.aws.client("cloudformation").get_waiter("stack_update_complete").wait(
        StackName="demo-dev", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )


def test_what_somebody_else_made_during_the_trial_is_not_lost(tried):
    made = []

    def during():
        if not made:
            made_meanwhile(tried)
            made.append(True)

    _, run = try_out(tried, "two", during)

    with pytest.raises(RemoteError, match="Orders would be lost too"):
        run()
    assert "Orders" in stack_template(tried.aws, "demo-dev")["Resources"]


def test_what_somebody_else_made_before_the_trial_is_not_lost(tried):
    _, run = try_out(tried, "two")
    made_meanwhile(tried)  # while the question stood

    with pytest.raises(RemoteError, match="Orders would be lost too"):
        run()
    assert "Orders" in stack_template(tried.aws, "demo-dev")["Resources"]
    assert alias(tried) == ("1", {})
    listed = tried.aws.call("cloudformation", "list_change_sets", StackName="demo-dev")["Summaries"]
    assert [one["ChangeSetName"] for one in listed if one["ExecutionStatus"] == "AVAILABLE"] == []


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("lambda:GetAlias", 2), ("cloudformation:CreateChangeSet", 2), ("cloudformation:DescribeStacks", None)],
)
def test_whatever_fails_after_the_share_is_given_says_what_stands(tried, aws_cloud, operation, nth):
    notes = []

    def during():
        if nth is None:
            aws_cloud.fail(operation, "refuse", times=0)

    _, run = try_out(tried, "two", during, notes=notes)
    if nth is not None:  # the first is before the share is given
        aws_cloud.fail(operation, "refuse", nth=nth)
    with pytest.raises(RemoteError):
        run()

    aws_cloud.heal()
    assert alias(tried) == ("1", {"2": 0.1})
    assert "demo-dev-hello: the new version has 10% of the calls" in notes[-1]
    assert "bareboat rollback" in notes[-1]


def test_a_rollout_waits_for_what_somebody_else_does_to_the_stack(tried, monkeypatch):
    from bareboat.aws import rollout

    asked = []
    real = rollout.make_plan

    def plans(*given, **more):
        asked.append(True)
        if len(asked) == 2:  # the second step
            raise AwsError(
                "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.",
                code="ValidationError",
                operation="cloudformation:CreateChangeSet",
            )
        return real(*given, **more)

    monkeypatch.setattr(rollout, "make_plan", plans)
    _, run = try_out(tried, "two")

    run()

    assert alias(tried) == ("2", {})


def test_an_alias_that_keeps_its_share_after_the_rollout_is_told(tried, monkeypatch):
    from bareboat.aws import shares

    real = shares.aliased
    monkeypatch.setattr(shares, "aliased", lambda aws, name, one: (real(aws, name, one)[0], {"2": 0.1}))
    _, run = try_out(tried, "two")

    with pytest.raises(RemoteError, match="still sends 10% of its calls to version 2") as caught:
        run()

    assert "aws lambda update-alias --function-name demo-dev-hello --name live" in caught.value.problems[0].fix


def test_counts_are_asked_for_by_the_clock_of_aws(tried):
    """A laptop an hour ahead would ask for what has not been yet, and promote what fails."""

    def during():
        measured(tried, "1", 90, 1)
        measured(tried, "2", 10, 3)

    clock, run = try_out(tried, "two", during)
    clock.now += 3600.0
    with pytest.raises(TakenBackError):
        run()
