"""API keys, usage plans and throttling: who may call methods that are private, and how often anyone may."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from dataclasses import replace

import pytest

from bareboat.errors import LocalError
from bareboat.local.access import Allowed, Refused
from bareboat.local.access.api_keys import known_keys
from bareboat.local.access.secrets import FILE, LocalSecrets
from bareboat.local.access.throttle import ACCOUNT, Bucket
from bareboat.local.access.usage import FILE as QUOTAS
from bareboat.local.access.usage import period_of
from bareboat.local.gateway import Api
from bareboat.local.messages import Request
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.methods import rest_table
from bareboat.service.api import ApiKey, LambdaAuthorizer, Quota, RestApi, Throttle, UsagePlan
from bareboat.service.model import Place
from bareboat.service.triggers import HttpEvent

HERE = Place("serverless.yml", 1, 1)
VALUE = "a-value-of-twenty-letters"
KEY = ApiKey("web", HERE, VALUE)
PLAN = UsagePlan("", HERE)
PRIVATE = HttpEvent("GET", "/x", HERE, private=True)
OPEN = HttpEvent("GET", "/open", HERE)
DAY_S = 86_400


class Rest:
    """A REST API's access control that can be asked."""

    def __init__(self, make, *events, keys=(KEY,), plans=(PLAN,), functions=None, **api):
        self.access, self.cloud, service = make.rest_access(
            *(events or (PRIVATE, OPEN)), api=RestApi(keys=keys, plans=plans, **api), functions=functions
        )
        self.table = rest_table(service)

    def check(self, key=None, path="/x", headers=()):
        listed = [("Host", "a"), *headers, *([] if key is None else [("X-Api-Key", key)])]
        call = RestCall(Request("GET", f"/dev{path}", listed, b"", ("127.0.0.1", 1)), Api("abc123", stage="dev"))
        found = self.table.find("GET", call.resource_path)
        assert found is not None

        async def run():
            verdict = self.access.check(call, found[0])
            return verdict if isinstance(verdict, Allowed | Refused) else await verdict

        return asyncio.run(run())

    def kinds(self, *keys, **more):
        return [getattr(self.check(key, **more), "kind", "") for key in keys]


def test_a_right_key_lets_in_and_is_told(make):
    verdict = Rest(make).check(VALUE)

    assert isinstance(verdict, Allowed)
    assert verdict.api_key == "web"
    assert verdict.identity["apiKey"] == VALUE
    assert len(verdict.identity["apiKeyId"]) == 10


WRONG = {
    "none": None,
    "empty": "",
    "another": "another-value-of-letters",
    "a part": VALUE[:-1],
    "more": VALUE + "x",
    "another case": VALUE.upper(),
    "not ASCII": "caf\xe9" * 6,
    "with NUL": VALUE + "\0",
    "its name": "web",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_key_is_forbidden(make, wrong):
    verdict = Rest(make).check(WRONG[wrong])

    assert isinstance(verdict, Refused)
    assert (verdict.kind, verdict.status, verdict.message) == ("INVALID_API_KEY", 403, "Forbidden")
    assert VALUE not in repr(verdict)


def test_a_method_that_is_not_private_needs_no_key(make):
    assert Rest(make).kinds(None, "wrong", path="/open") == ["", ""]


def test_two_keys_at_once_are_forbidden(make):
    assert Rest(make).kinds(VALUE, headers=[("x-api-key", VALUE)]) == ["INVALID_API_KEY"]


@pytest.mark.parametrize(
    ("keys", "plans"),
    [
        ((replace(KEY, enabled=False),), (PLAN,)),
        ((replace(KEY, plan="gone"),), (UsagePlan("gold", HERE),)),
        ((), (PLAN,)),
        ((KEY,), (UsagePlan("free", HERE), UsagePlan("gold", HERE))),
    ],
    ids=["disabled", "another plan", "no keys", "several plans and none named"],
)
def test_a_key_without_use_is_forbidden(make, keys, plans):
    assert Rest(make, keys=keys, plans=plans).kinds(VALUE) == ["INVALID_API_KEY"]


def test_keys_without_a_plan_are_in_one_without_limits(make):
    """Serverless makes a usage plan as soon as there are keys."""
    assert Rest(make, plans=()).kinds(*[VALUE] * 3) == [""] * 3


def test_an_authorizer_can_name_the_key(make):
    authorizer = LambdaAuthorizer(
        "gate", HERE, "gate", kind="token", identity_sources=("method.request.header.Authorization",), payload="1.0"
    )
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}

    def gate(event):
        return {
            "principalId": "ada",
            "policyDocument": {"Statement": [statement]},
            "usageIdentifierKey": event["authorizationToken"],
        }

    rest = Rest(make, replace(PRIVATE, authorizer=authorizer), key_source="AUTHORIZER", functions={"gate": gate})

    assert rest.kinds(None, headers=[("Authorization", VALUE)]) == [""]
    assert rest.kinds(VALUE, headers=[("Authorization", "wrong")]) == ["INVALID_API_KEY"]


def test_the_authorizer_is_asked_before_the_key(make):
    authorizer = LambdaAuthorizer(
        "gate", HERE, "gate", kind="token", identity_sources=("method.request.header.Authorization",), payload="1.0"
    )
    rest = Rest(make, replace(PRIVATE, authorizer=authorizer), functions={"gate": lambda _: None})

    assert rest.kinds(None, VALUE) == ["UNAUTHORIZED", "UNAUTHORIZED"]
    assert rest.cloud.calls == []


# --- values


def test_a_key_without_a_value_keeps_the_one_that_it_gets(make, tmp_path):
    keys = (ApiKey("web", HERE), ApiKey("", HERE), KEY)
    first = known_keys(keys, (PLAN,), LocalSecrets(tmp_path / "s"))
    again = known_keys(keys, (PLAN,), LocalSecrets(tmp_path / "s"))

    assert [key.value for key in first] == [key.value for key in again]
    assert [key.name for key in first] == ["web", "key-2", "web"]
    assert [key.is_local for key in first] == [True, True, False]
    assert len({key.value for key in first}) == 3
    assert all(len(key.value) == 40 and key.value.isalnum() for key in first[:2])
    assert first[0].value not in repr(first)


def test_secrets_are_for_their_owner_alone_and_in_no_repository(tmp_path):
    folder = tmp_path / ".bareboat"
    secrets = LocalSecrets(folder)
    secrets.api_key("web")
    secrets.credentials()
    secrets.keep_token_key(b"pem")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name != ".gitignore"}

    assert set(modes.values()) == {0o600}
    assert (folder / ".gitignore").read_text() == "*\n"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_secrets_that_others_may_read_are_refused(tmp_path, mode):
    secrets = LocalSecrets(tmp_path)
    secrets.api_key("web")
    (tmp_path / FILE).chmod(mode)

    with pytest.raises(LocalError, match="others than you may read"):
        secrets.api_key("web")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"apiKeys": 1}'])
def test_secrets_that_are_damaged_are_told(tmp_path, text):
    LocalSecrets(tmp_path).api_key("web")
    (tmp_path / FILE).write_text(text)

    with pytest.raises(LocalError, match="damaged"):
        LocalSecrets(tmp_path).api_key("web")


def test_the_first_token_key_is_the_one_that_is_kept(tmp_path):
    secrets = LocalSecrets(tmp_path)

    assert [secrets.keep_token_key(pem) for pem in (b"one", b"two")] == [b"one", b"one"]


# --- how often


def test_a_bucket_holds_its_burst_and_fills_with_its_rate(make):
    bucket = Bucket(Throttle(rate=2, burst=3), make.clock)

    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    make.clock.at += 0.49
    assert not bucket.take()
    make.clock.at += 0.02
    assert [bucket.take(), bucket.take()] == [True, False]
    make.clock.at += 100
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    make.clock.at -= 50  # a clock that goes backwards gives nothing
    assert not bucket.take()


def test_a_bucket_without_tokens_lets_nobody_in(make):
    make.clock.at += 1
    assert not Bucket(Throttle(rate=0, burst=0), make.clock).take()


def test_a_plan_s_rate_is_that_of_each_key(make):
    keys = (KEY, ApiKey("phone", HERE, "another-value-of-letters"))
    rest = Rest(make, keys=keys, plans=(UsagePlan("", HERE, Throttle(1, 2)),))

    first = [rest.check(VALUE) for _ in range(3)]

    assert [isinstance(verdict, Allowed) for verdict in first] == [True, True, False]
    assert (first[2].kind, first[2].status, first[2].message) == ("THROTTLED", 429, "Too Many Requests")
    assert first[2].api_key == "web"
    assert rest.kinds("another-value-of-letters") == [""]
    make.clock.at += 1
    assert rest.kinds(VALUE) == [""]


def test_methods_that_are_not_private_take_nothing_of_a_plan(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, Throttle(1, 1), Quota(1, "DAY")),))

    assert rest.kinds(*[VALUE] * 5, path="/open") == [""] * 5
    assert rest.kinds(VALUE) == [""]


def test_a_quota_ends_at_midnight_utc(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(2, "DAY")),))
    make.now.at = DAY_S * 20_000 + DAY_S - 1

    verdicts = [rest.check(VALUE) for _ in range(3)]

    assert isinstance(verdicts[1], Allowed)
    assert (verdicts[2].kind, verdicts[2].status, verdicts[2].message) == ("QUOTA_EXCEEDED", 429, "Limit Exceeded")
    make.now.at += 1
    assert rest.kinds(VALUE) == [""]


def test_an_offset_is_taken_off_the_first_period_alone(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(3, "DAY", offset=2)),))

    assert rest.kinds(*[VALUE] * 2) == ["", "QUOTA_EXCEEDED"]
    make.now.at += DAY_S
    assert rest.kinds(*[VALUE] * 4) == ["", "", "", "QUOTA_EXCEEDED"]


def test_what_is_throttled_takes_nothing_of_the_quota(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, Throttle(1, 1), Quota(2, "DAY")),))

    assert rest.kinds(*[VALUE] * 5) == ["", *["THROTTLED"] * 4]
    make.clock.at += 1
    assert rest.kinds(VALUE) == [""]
    make.clock.at += 1
    assert rest.kinds(VALUE) == ["QUOTA_EXCEEDED"]


def test_a_rate_that_changes_in_serverless_yml_holds_from_then_on(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, Throttle(1000, 1000)),))
    assert rest.kinds(*[VALUE] * 3) == [""] * 3

    (known,) = rest.access.keys
    slower = replace(known, plan=UsagePlan("", HERE, Throttle(1, 1)))

    assert [rest.access.usage.is_throttled(slower) for _ in range(3)] == [False, True, True]


def test_where_nothing_can_be_kept_quotas_count_on(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(2, "DAY")),))
    shutil.rmtree(make.folder / ".bareboat", ignore_errors=True)
    (make.folder / ".bareboat").write_text("a file")

    assert rest.kinds(*[VALUE] * 3) == ["", "", "QUOTA_EXCEEDED"]


def test_keys_and_plans_with_slashes_do_not_share_a_quota(make):
    rest = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(1, "DAY")),))
    (known,) = rest.access.keys
    one = replace(known, name="a", plan=UsagePlan("x/y", HERE, quota=Quota(1, "DAY")))
    other = replace(known, name="y/a", plan=UsagePlan("x", HERE, quota=Quota(1, "DAY")))

    assert not rest.access.usage.is_used_up(one)
    assert not rest.access.usage.is_used_up(other)


def test_what_is_used_outlives_a_restart(make):
    plans = (UsagePlan("", HERE, quota=Quota(3, "MONTH")),)
    first = Rest(make, plans=plans)
    first.kinds(VALUE, VALUE)
    first.access.usage.write()

    again = Rest(make, plans=plans)

    assert again.access.usage.left(again.access.keys[0]) == 1
    assert again.kinds(VALUE, VALUE) == ["", "QUOTA_EXCEEDED"]
    path = make.folder / ".bareboat" / QUOTAS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert VALUE not in path.read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"/web": 1}', '{"/web": ["DAY", "2023-11-14", -5]}', '{"/web": [1]}'])
def test_a_damaged_file_of_quotas_counts_for_nothing(make, text):
    rest = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(1, "DAY")),))
    rest.kinds(VALUE)
    rest.access.usage.write()
    (make.folder / ".bareboat" / QUOTAS).write_text(text)

    again = Rest(make, plans=(UsagePlan("", HERE, quota=Quota(1, "DAY")),))

    assert again.kinds(VALUE, VALUE) == ["", "QUOTA_EXCEEDED"]


@pytest.mark.parametrize(
    ("period", "moment", "began"),
    [
        ("DAY", 1_700_000_000, "2023-11-14"),  # a Tuesday
        ("WEEK", 1_700_000_000, "2023-11-12"),
        ("WEEK", 1_699_747_200, "2023-11-12"),  # Sunday, 00:00:00
        ("WEEK", 1_699_747_199, "2023-11-05"),
        ("MONTH", 1_700_000_000, "2023-11-01"),
        ("MONTH", 1_698_796_799, "2023-10-01"),
        ("MONTH", 1_709_164_800, "2024-02-01"),  # 29 February
        ("WEEK", 1_704_067_200, "2023-12-31"),  # over the year's end
    ],
)
def test_periods_begin_by_utc(period, moment, began):
    assert period_of(period, moment) == began


def test_stage_and_methods_have_their_own_limits(make):
    events = (OPEN, replace(OPEN, path="/other"), replace(OPEN, path="/own", throttle=Throttle(1, 3)))
    rest = Rest(make, *events, throttle=Throttle(1, 2), throttles={"GET /other": Throttle(1, 1)})

    assert rest.kinds(*[None] * 3, path="/open") == ["", "", "THROTTLED"]
    assert rest.kinds(*[None] * 2, path="/other") == ["", "THROTTLED"]
    assert rest.kinds(*[None] * 4, path="/own") == ["", "", "", "THROTTLED"]


def test_an_http_api_is_throttled_before_its_authorizer_is_asked(make):
    authorizer = LambdaAuthorizer("gate", HERE, "gate", simple=True)
    api = make.http_api(authorizer, functions={"gate": lambda _: {"isAuthorized": True}}, throttle=Throttle(1, 1))

    assert [api.get().status for _ in range(3)] == [200, 429, 429]
    assert api.get().body == b'{"message":"Too Many Requests"}'
    assert api.cloud.called("gate") == 1
    assert api.records[-1].refused == "THROTTLED"


def test_a_route_s_own_limit_stands_for_the_stage_s(make):
    throttles = {"GET /y": Throttle(1, 2)}
    api = make.http_api(paths=("/x", "/y"), throttle=Throttle(1, 1), throttles=throttles)

    assert [api.get("/y").status for _ in range(3)] == [200, 200, 429]
    assert [api.get("/x").status for _ in range(2)] == [200, 429]


def test_the_account_has_a_limit_too(make):
    bucket = Bucket(ACCOUNT, make.clock)

    assert sum(bucket.take() for _ in range(6_000)) == 5_000
    make.clock.at += 0.1
    assert sum(bucket.take() for _ in range(6_000)) == pytest.approx(1_000, abs=1)


def test_the_event_has_the_key(make):
    """`apiKey` and `apiKeyId` are where AWS's samples have them."""
    verdict = Rest(make).check(VALUE)

    assert json.loads(json.dumps(dict(verdict.identity))).keys() == {"apiKey", "apiKeyId"}
