from pathlib import Path

import pytest

from bareboat.errors import ConfigurationError
from bareboat.service import load_service
from bareboat.service.model import Service


def load(folder: Path, accounts: str, stage: str = "dev") -> Service:
    (folder / "handler.py").touch()
    (folder / "serverless.yml").write_text(
        "service: own\nprovider: {name: aws, runtime: python3.13}\nfunctions: {f: {handler: handler.f}}\n"
        f"custom:\n  bareboat:\n    accounts: {accounts}\n"
    )
    return load_service(folder, stage=stage, env={})


@pytest.mark.parametrize(
    ("said", "found", "where"),
    [
        ("12", "custom.bareboat.accounts is 12", "serverless.yml:6:15"),
        ("['123456789012', abc]", "custom.bareboat.accounts[1] is abc", "serverless.yml:6:32"),
        ("{prod: 012345678901}", "custom.bareboat.accounts.prod is 012345678901 without quotes", "serverless.yml:6:22"),
        ("{prod: {a: 1}}", "custom.bareboat.accounts.prod is a mapping", "serverless.yml:6:22"),
    ],
)
def test_what_is_no_account_is_refused_where_it_stands(tmp_path: Path, said: str, found: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, said)

    (problem,) = caught.value.problems
    assert problem.found.startswith(found)
    assert problem.where == where


@pytest.mark.parametrize(
    "said", ["123456789012", "['123456789012']", "{dev: '123456789012'}", "{default: 123456789012}"]
)
def test_accounts_are_one_a_list_or_by_stage(tmp_path: Path, said: str) -> None:
    service = load(tmp_path, said)

    assert [value.path for value in service.values if "accounts" in value.path] == ["custom.bareboat.accounts"]
    assert not [note for note in service.notes if "accounts" in note.text]


def test_a_stage_that_no_account_is_named_for_is_told(tmp_path: Path) -> None:
    service = load(tmp_path, "{prod: '123456789012'}")

    assert "custom.bareboat.accounts names no account for stage dev: it may be deployed to any" in [
        note.text for note in service.notes
    ]
