"""Which version is gone back to, which ones go, and which digests count: decided without AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as replace_record

from bareboat.aws.belongings import Belongings, find_layers
from bareboat.aws.bucket import Bucket, folder_of, keep_of, refuses_plain_http
from bareboat.aws.emptying import delete_keys, empty
from bareboat.aws.parcels import models_of
from bareboat.aws.prune import _prune_layers, plan_pruning
from bareboat.aws.record import DeployedCode, Record, canonical, digest
from bareboat.aws.rollout import Counts, Trial
from bareboat.aws.stack import Resource
from bareboat.aws.stays import what_stays
from bareboat.aws.versions import Version, Versions, _in_order, code_keys, names_of
from bareboat.errors import ConfigurationError, RemoteError
from bareboat.service import load_service

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BUCKET = Bucket("b", "serverless/demo/dev")


def version(number, state="kept", *, code=None, restores=None, action="deploy", template=None):
    key = f"serverless/demo/dev/code/{code or number}.zip"
    record = Record(
        number=number,
        state="done",
        token="",
        service="demo",
        stage="dev",
        stack="demo-dev",
        by="arn:aws:iam::123456789012:user/anna",
        at=f"2026-11-{number:02}T00:00:00Z",
        template_sha256=template or f"t{number}",
        action=action,
        restores=restores,
        functions={"f": DeployedCode(key, "00")},
    )
    place = f"serverless/demo/dev/deployments/{number:06}/template.json"
    return Version(str(number), state, record.at, place, record, frozenset([key]), record.template_sha256)


def versions(*found, more=()):
    keys = {key for one in found for key in (*one.keys, one.template_key)}
    old = NOW - timedelta(days=9)
    return Versions(BUCKET, tuple(found), {**dict.fromkeys(keys, old), **dict(more)})


@pytest.mark.parametrize(
    ("found", "back"),
    [
        pytest.param([version(1), version(2, "live")], "1", id="the-one-before"),
        pytest.param([version(1), version(2), version(3), version(4, "live", restores=2)], "1", id="after-a-rollback"),
        pytest.param([version(1), version(2, template="t3"), version(3, "live")], "1", id="not-the-same-again"),
        pytest.param([version(1), version(2, action="canary"), version(3, "live")], "1", id="no-trial"),
        pytest.param(
            [version(1), version(2, "pruned"), version(3, "failed"), version(4, "live")], "1", id="whole-ones"
        ),
        pytest.param([version(1), version(2)], "2", id="when-nobody-knows-what-is-live"),
        pytest.param([version(1, "live"), version(2)], None, id="none"),
        pytest.param(
            [version(2), version(3, restores=1), version(4), version(5, "live", restores=3)],
            None,
            id="after-a-rollback-to-one-that-restored-a-pruned-one",
        ),
        pytest.param([version(1), version(3), version(4, "live", restores=2)], "1", id="after-a-pruned-one"),
        pytest.param(
            [version(1), version(3), version(4, "live", restores=1793577600000)],  # of 2026-11-02
            "1",
            id="after-a-pruned-folder-of-serverless",
        ),
    ],
)
def test_before_live(found, back):
    before = versions(*found).before_live()

    assert (before.name if before else None) == back


def test_a_version_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(RemoteError, match="there is no version 9") as refused:
        versions(version(1), version(2, "live")).named("9")

    assert "one of 1, 2" in str(refused.value)
    assert versions(version(1)).named("v1").name == "1"


def test_pruning_keeps_the_number_and_what_they_share():
    found = versions(version(1, code="x"), version(2), version(3, code="x"), version(4, "live"))

    plan = plan_pruning(found, None, 1, now=NOW)

    assert [one.name for one in plan.versions] == ["1", "2"]
    assert plan.keys == ("serverless/demo/dev/code/2.zip",)


def test_pruning_leaves_the_versions_of_another_stack_with_the_same_folder():
    theirs = [replace(version(n), record=replace_record(version(n).record, stack="other")) for n in (1, 2)]
    found = versions(*theirs, version(3), version(4, "live"))

    plan = plan_pruning(found, None, 0, now=NOW, stack="demo-dev")

    assert [one.name for one in plan.versions] == ["3"]
    assert plan.keys == ("serverless/demo/dev/code/3.zip",)


def test_versions_stand_in_the_order_of_their_numbers_whatever_clock_wrote_them():
    slow = replace(version(3), at="2026-11-01T12:00:00Z")
    theirs = replace(version(2), name="1762000000000", record=None, at="2026-11-01T13:00:00Z")

    assert [one.name for one in _in_order([slow, theirs, version(2), version(1)])] == ["1", "1762000000000", "2", "3"]


@pytest.mark.parametrize("earlier", range(6))
def test_pruning_takes_nothing_of_fewer_versions_than_stay(earlier):
    found = versions(*(version(number) for number in range(1, earlier + 1)), version(9, "live"))

    assert plan_pruning(found, None, 5, now=NOW).is_empty


def test_pruning_leaves_what_the_live_template_names_and_what_is_not_ours():
    more = {
        "serverless/demo/dev/code/odd.zip": NOW - timedelta(days=9),
        "serverless/demo/dev/code/live.zip": NOW - timedelta(days=9),
        "serverless/demo/dev/code/fresh.zip": NOW - timedelta(hours=1),
        "serverless/demo/dev/notes.txt": NOW - timedelta(days=9),
    }
    template = {"Resources": {"F": {"Properties": {"Code": {"S3Key": "serverless/demo/dev/code/live.zip"}}}}}

    plan = plan_pruning(versions(version(1, "live"), more=more), template, 5, now=NOW)

    assert plan.keys == ("serverless/demo/dev/code/odd.zip",)


def test_pruning_takes_failed_ones_only_when_they_are_older_than_what_is_kept():
    found = versions(version(1, "failed"), version(2), version(3, "failed"), version(4, "live"), version(5, "pending"))

    assert [one.name for one in plan_pruning(found, None, 1, now=NOW).versions] == ["1"]


def test_canonical_ignores_order_and_what_cloudformation_cannot_say():
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "?", "b": 1}) == b'{"a":"?","b":1}'
    assert digest({"a": "x"}) != digest({"a": "y"})


def test_code_keys_are_those_of_functions_and_layers():
    template = {"Resources": {"L": {"Properties": {"Content": {"S3Key": "l.zip"}}}, "F": {"P": [{"S3Key": "f.zip"}]}}}

    assert code_keys(template) == {"l.zip", "f.zip"}
    assert names_of([version(1), version(2), version(3)]) == "1, 2 and 3"


def test_models_are_those_that_are_served_else_those_in_the_archive():
    files = {
        ".bareboat/models/predict-abc.forest": {"sha256": "abc123"},
        "lgb.model": {"sha256": "00"},
        "vendor/a/b/c/weights.onnx": {"sha256": "11"},
    }
    served = {"predict": {"models": {"predict": {"abc": {}}}}}
    remote = {"predict": {"models": {"predict": {"abc": {"fetch": {"source": "s3://m/x", "sha256": "22"}}}}}}

    assert models_of({"files": files, "signature": served}, "predict") == {"predict": "abc123"}
    assert models_of({"files": files, "signature": remote}, "predict") == {"s3://m/x": "22"}
    assert models_of({"files": files}, "predict") == {"lgb.model": "00"}
    assert models_of({}, "predict") == {}


@pytest.mark.parametrize(
    ("policy", "refuses"),
    [
        ('{"Statement": {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}', True),
        ('{"Statement": [{"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": false}}}]}', True),
        ('{"Statement": [{"Effect": "Allow", "Condition": {"Bool": {"aws:SecureTransport": true}}}]}', False),
        ("", False),
        ("{", False),
    ],
    ids=["one", "list", "allow", "none", "damaged"],
)
def test_refuses_plain_http(policy, refuses):
    assert refuses_plain_http(policy) is refuses


@pytest.fixture
def load(tmp_path):
    def make(provider="", custom="", stage="dev"):
        (tmp_path / "h.py").write_text("def f(e, c): pass\n")
        (tmp_path / "lib").mkdir(exist_ok=True)
        (tmp_path / "serverless.yml").write_text(
            f"service: demo\nprovider: {{name: aws, runtime: python3.13{provider}}}\n"
            f"functions: {{f: {{handler: h.f}}}}\n{custom}"
        )
        return load_service(tmp_path / "serverless.yml", stage=stage, env={})

    return make


def test_keep_of(load):
    assert keep_of(load()) == 5
    assert keep_of(load(custom="custom: {prune: {automatic: true, number: 3}}\n")) == 3
    bucket = ", deploymentBucket: {name: b, maxPreviousDeploymentArtifacts: 7}"
    assert keep_of(load(bucket, "custom: {prune: {number: 3}}\n")) == 7
    assert keep_of(load(bucket, "custom: {bareboat: {keep: 0}}\n")) == 0
    assert folder_of(load(", deploymentPrefix: mine/")) == "mine/demo/dev"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("canary: 10%", "custom.bareboat.canary is '10%'"),
        ("canary: [1]", "custom.bareboat.canary is"),
        ("keep: -1", "custom.bareboat.keep is -1"),
        ("keep: true", "custom.bareboat.keep is True"),
        ("bucketOwner: 12345", "custom.bareboat.bucketOwner is 12345"),
    ],
    ids=["canary", "canary-list", "keep", "keep-bool", "owner"],
)
def test_what_is_wrong_with_the_keys_is_told_with_its_place(load, said, found):
    with pytest.raises(ConfigurationError) as refused:
        load(custom=f"custom: {{bareboat: {{{said}}}}}\n")

    assert found in str(refused.value)
    assert "serverless.yml:4:" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ((100, 0), (0, 0), "unknown"),
        ((100, 0), (10, 1), "fine"),
        ((100, 0), (10, 2), "worse"),
        ((0, 0), (10, 2), "worse"),
        ((100, 20), (10, 2), "fine"),
        ((1000, 10), (1000, 19), "fine"),
    ],
    ids=["no-calls", "one-error", "errors", "old-without-calls", "as-bad", "within-a-point"],
)
def test_verdict(old, new, verdict):
    trial = Trial("f", "demo-dev-f", "live", "1", "2", Counts(*old), Counts(*new))

    assert trial.verdict == verdict


def test_what_stays_names_domains_keys_and_what_can_cost(load):
    service = load(
        ", kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/k'",
        "custom: {customDomain: {http: {domainName: api.example.com}, rest: {domainName: rest.example.com}}}\n",
    )
    shared = Bucket("shared", "serverless/demo/dev", own=False)

    stays = what_stays(service, Belongings(None, bucket=shared, other_layers={"libs": (1, 2)}))

    assert [one.what for one in stays] == [
        "the bucket shared",
        "layer libs, versions 1, 2",
        "the custom domain api.example.com, its certificate and its DNS record",
        "the custom domain rest.example.com, its certificate and its DNS record",
        "the KMS key arn:aws:kms:us-east-1:123456789012:key/k",
    ]
    assert [one.costs for one in stays] == [True, False, True, True, True]


def test_a_domain_that_the_stack_made_does_not_stay(load):
    service = load("", "custom: {customDomain: {domainName: api.example.com, apiType: http}}\n")
    made = Resource("D", "api.example.com", "AWS::ApiGatewayV2::DomainName", "CREATE_COMPLETE")

    stays = what_stays(service, Belongings(None, resources=(made,)))

    assert [(one.what, one.costs) for one in stays] == [("the certificate of api.example.com", False)]


class Locked:
    """S3 with one object under a lock."""

    def __init__(self):
        self.calls = []

    def pages(self, *_, **__):
        return iter(())

    def call(self, _, operation, **arguments):
        self.calls.append(operation)
        if operation == "list_object_versions":
            return {"Versions": [{"Key": "a", "VersionId": "1", "Size": 1}], "IsTruncated": False}
        return {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "locked"}]}


def test_what_cannot_be_deleted_is_named_and_ends_the_tries():
    aws = Locked()

    with pytest.raises(RemoteError, match="s3://b/a cannot be deleted: locked"):
        empty(aws, "b", sleep=lambda _: None)
    with pytest.raises(RemoteError, match="s3://b/a cannot be deleted"):
        delete_keys(aws, {"Bucket": "b"}, ["a"])

    assert aws.calls.count("delete_objects") == 6


class WithLayers:
    """Lambda with a layer of which this stack made some versions, and CloudFormation that remembers which."""

    region = "us-east-1"

    def __init__(self):
        self.deleted = []

    def pages(self, service, operation, key, **arguments):
        if operation == "list_layer_versions":
            return iter([{"Version": number} for number in (5, 4, 3, 2, 1)])
        assert operation == "describe_stack_events"
        arn = "arn:aws:lambda:us-east-1:123456789012:layer:libs:"
        made = [f"{arn}{number}" for number in (5, 4, 2)]
        return iter([{"ResourceType": "AWS::Lambda::LayerVersion", "PhysicalResourceId": one} for one in made])

    def call(self, service, operation, **arguments):
        assert operation == "delete_layer_version"
        self.deleted.append((arguments["LayerName"], arguments["VersionNumber"]))
        return {}


def test_only_layer_versions_that_the_stack_made_are_its_own(load):
    service = load(custom="layers: {libs: {path: lib}}\n")

    own, others = find_layers(WithLayers(), service, "arn", [])

    assert own == {"libs": (2, 4, 5)}
    assert others == {"libs": (1, 3)}


@pytest.mark.parametrize(
    ("retain", "custom", "gone"),
    [
        ("false", "", [("libs", 2)]),
        ("true", "", []),
        ("true", "custom: {prune: {includeLayers: true}}\n", [("libs", 2)]),
    ],
    ids=["old-ones", "retained", "retained-and-pruned"],
)
def test_old_layers_go_unless_they_are_retained(load, retain, custom, gone):
    service = load(custom=f"layers: {{libs: {{path: lib, retain: {retain}}}}}\n{custom}")
    aws = WithLayers()

    _prune_layers(aws, service, {"arn:aws:lambda:us-east-1:123456789012:layer:libs:5"}, 1)

    assert aws.deleted == gone
