"""bareboat token and bareboat keys, typed."""

from __future__ import annotations

import json
import stat

import jwt
import pytest

from bareboat.local.serving import write_serving

SERVICE = """
service: shop
provider:
  name: aws
  runtime: python3.13
  httpApi:
    authorizers:
      people: {type: jwt, issuerUrl: https://issuer.example, audience: [web, phone]}
  apiGateway:
    apiKeys: [free, {name: gold, value: abcdefghijklmnopqrstuvwxyz}]
    usagePlan: {quota: {limit: 5, period: DAY}}
functions:
  items:
    handler: h.items
    events:
      - httpApi: {path: /items, method: post, authorizer: {name: people, scopes: [items.read]}}
      - http: {path: /keyed, method: get, private: true}
"""
SECOND = "      others: {type: jwt, issuerUrl: https://other.example, audience: [x]}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "h.py").write_text("def items(event, context): ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def claims_of(text):
    return jwt.decode(text, options={"verify_signature": False})


def test_the_token_alone_is_the_result(folder, run):
    result = run("token", "--scope", "items.read")

    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    claims = claims_of(result.stdout.strip())
    assert claims.pop("jti")
    assert claims.pop("exp") - claims.pop("iat") == 3600
    assert claims == {"iss": "https://issuer.example", "sub": "local", "aud": "web", "scope": "items.read"}
    assert result.stderr == (
        'next: curl -X POST -H "Authorization: Bearer $(bareboat token)" http://127.0.0.1:3000/items\n'
    ).replace("$(bareboat token)", "$(bareboat token --scope items.read)")


def test_the_request_goes_to_the_running_serve_and_the_route_with_the_scope(folder, run):
    more = "      - httpApi: {path: /open, method: get, authorizer: {name: people}}\n      - http:"
    (folder / "serverless.yml").write_text(SERVICE.replace("      - http:", more, 1))
    write_serving(folder, "shop", "dev", {"httpApi": "http://127.0.0.1:4210"})

    assert run("token").stderr.endswith("http://127.0.0.1:4210/open\n")
    assert run("token", "--scope", "items.read").stderr.endswith("http://127.0.0.1:4210/items\n")


def test_a_scope_that_is_missing_is_told(folder, run):
    assert "note: POST /items asks for a scope: --scope items.read\n" in run("token").stderr


def test_each_wish_is_a_claim(folder, run):
    words = "--sub ada --scope a --scope b --claim admin=true --claim name=Ada --audience phone --expires 2d --json"

    document = json.loads(run("token", "people", *words.split()).stdout)

    claims = document["claims"]
    assert document["authorizer"] == "people"
    assert claims_of(document["token"]) == claims
    assert claims["exp"] - claims["iat"] == 2 * 86_400
    expected = {"sub": "ada", "scope": "a b", "admin": True, "name": "Ada", "aud": "phone"}
    assert {name: claims[name] for name in expected} == expected


def test_the_key_is_made_once_for_its_owner_alone(folder, run):
    headers = [jwt.get_unverified_header(run("token").stdout.strip()) for _ in range(2)]

    path = folder / ".bareboat" / "local-token-key.pem"
    assert headers[0] == headers[1]
    assert headers[0]["kid"].startswith("bareboat-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_others_may_read_is_refused(folder, run):
    run("token")
    (folder / ".bareboat" / "local-token-key.pem").chmod(0o644)

    result = run("token")

    assert result.exit_code == 1
    assert "others than you may read local-token-key.pem" in result.stderr


def test_which_authorizer_must_be_said(folder, run):
    (folder / "serverless.yml").write_text(SERVICE.replace("  apiGateway:\n", SECOND + "  apiGateway:\n"))

    none, wrong, right = run("token"), run("token", "poeple"), run("token", "others")

    assert (none.exit_code, wrong.exit_code, right.exit_code) == (2, 2, 0)
    assert "shop has 2 JWT authorizers\n  expected  one of people, others\n" in none.stderr
    assert "bareboat token people" in wrong.stderr
    assert claims_of(right.stdout.strip())["iss"] == "https://other.example"


def test_without_an_authorizer_it_says_so(folder, run):
    text = SERVICE.partition("  httpApi:")[0] + "functions: {f: {handler: h.items}}\n"
    (folder / "serverless.yml").write_text(text)

    result = run("token")

    assert result.exit_code == 2
    assert "shop has no JWT authorizer, so no route asks for a token" in result.stderr


@pytest.mark.parametrize("words", ["--expires never", "--expires 1w", "--claim admin", "--claim =x"])
def test_wishes_that_mean_nothing(folder, run, words):
    result = run("token", *words.split())

    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_token_can_be_expired(folder, run):
    claims = claims_of(run("token", "--expires", "-5m").stdout.strip())

    assert claims["exp"] - claims["iat"] == -300


def test_keys_are_listed_with_their_values(folder, run):
    result = run("keys")
    document = json.loads(run("keys", "--json").stdout)

    assert result.exit_code == 0
    assert "gold  abcdefghijklmnopqrstuvwxyz" in result.stdout
    free, gold = document["keys"]
    assert (free["name"], len(free["value"]), free["from"], free["quota_left"]) == ("free", 40, "this machine", 5)
    assert (gold["from"], gold["plan"], gold["enabled"]) == ("serverless.yml", "default", True)
    assert free["value"] in result.stdout
    assert document["credentials"] is None


def test_a_service_that_asks_for_signatures_has_credentials(folder, run):
    text = SERVICE.replace("authorizer: {name: people, scopes: [items.read]}", "authorizer: {type: aws_iam}")
    (folder / "serverless.yml").write_text(text)

    first, again = (json.loads(run("keys", "--json").stdout)["credentials"] for _ in range(2))

    assert first == again
    assert len(first["accessKeyId"]) == 20
    assert len(first["secretAccessKey"]) == 40
