"""Names of the shared role: IAM takes 64 characters."""

from __future__ import annotations

import pytest

from bareboat.errors import ConfigurationError

LONG = "own-service-with-a-name-that-is-somewhat-long"
FILE = """\
service: {service}
provider: {{name: aws, runtime: python3.13{provider}}}
functions: {{f: {{handler: app.f, name: f{function}}}}}
"""


@pytest.fixture(autouse=True)
def module(tmp_path):
    (tmp_path / "app.py").write_text("def f(event, context): ...\n")


@pytest.mark.parametrize(
    ("provider", "place"),
    [("", ":1:10"), (", iam: {role: {name: " + "r" * 65 + "}}", ":2:")],
)
def test_a_name_that_is_too_long_is_refused_with_its_place(load, provider, place):
    with pytest.raises(ConfigurationError) as caught:
        load(FILE.format(service=LONG, provider=provider, function=""))

    (problem,) = caught.value.problems
    assert "would be called" in problem.found
    assert problem.fix == "set provider.iam.role.name"
    assert f"serverless.yml{place}" in problem.where


@pytest.mark.parametrize(
    ("provider", "function"),
    [
        (", iam: {role: {name: short}}", ""),
        (", iam: {role: 'arn:aws:iam::123456789012:role/given'}", ""),
        (", iam: {role: {'Fn::GetAtt': [Mine, Arn]}}", ""),
        ("", ", role: 'arn:aws:iam::123456789012:role/given'"),
    ],
)
def test_where_no_such_role_is_made_the_name_does_not_matter(load, provider, function):
    assert load(FILE.format(service=LONG, provider=provider, function=function)).functions["f"]
