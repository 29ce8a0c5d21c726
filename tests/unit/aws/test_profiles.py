"""A profile that is not there is told with those that are."""

from __future__ import annotations

import pytest

from bareboat.aws.client import Aws, AwsError


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "a profile; there is none"),
        (
            {
                "config": "[default]\nregion = eu-west-1\n[profile shop]\n[sso-session mine]\n",
                "credentials": "[old]\naws_access_key_id = x\n",
            },
            "one of default, old, shop",
        ),
    ],
)
def test_a_profile_that_is_not_there(tmp_path, monkeypatch, files, expected):
    for name, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
        if name in files:
            (tmp_path / name).write_text(files[name])
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("AWS_PROFILE", "nope")

    with pytest.raises(AwsError, match="there is no AWS profile nope") as refused:
        _ = Aws("eu-west-1").identity

    assert f"expected  {expected}" in str(refused.value)
    assert "network" not in str(refused.value)
