from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.aws.client import AwsError
from bareboat.aws.resolvers import resolvers
from bareboat.errors import ConfigurationError
from bareboat.service import load_service
from bareboat.service.sources import RefusedError

Answer = Callable[..., Mapping[str, Any]]


class FakeAws:
    """Answers calls from a table and counts them."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []
        self.region = "us-east-1"

    @property
    def identity(self) -> Any:
        self.calls.append(("sts", "", {}))
        return SimpleNamespace(account="123456789012")

    def call(self, service: str, operation: str, /, *, region: str = "", **arguments: Any) -> Mapping[str, Any]:
        self.calls.append((operation, region, arguments))
        return self.answers[operation](**arguments)


def refused(code: str, status: int = 400, text: str = "no") -> Answer:
    def answer(**_: Any) -> Mapping[str, Any]:
        raise AwsError(f"x:Y: {text} ({code})", code=code, operation="x:Y", status=status, fix="mend it")

    return answer


def parameter(value: str, kind: str = "String") -> Answer:
    return lambda **_: {"Parameter": {"Value": value, "Type": kind}}


def ask(source: str, address: str, *params: str, **answers: Answer) -> Any:
    return resolvers(FakeAws(**answers))[source](address, params)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "kind", "params", "expected"),
    [
        ("abc", "String", (), "abc"),
        ('{"a": 1}', "String", (), '{"a": 1}'),
        ("a,b", "StringList", (), ["a", "b"]),
        ("a,b", "StringList", ("raw",), "a,b"),
        ("abc", "SecureString", (), "abc"),
        ('{"a": {"b": 1}}', "SecureString", (), {"a": {"b": 1}}),
        ('{"a": 1}', "SecureString", ("raw",), '{"a": 1}'),
        ("{not json", "SecureString", (), "{not json"),
    ],
)
def test_ssm_gives_what_serverless_gives(value: str, kind: str, params: tuple[str, ...], expected: Any) -> None:
    assert ask("ssm", "/p", *params, get_parameter=parameter(value, kind)) == expected


def test_ssm_asks_in_the_region_in_parentheses_and_decrypts() -> None:
    aws = FakeAws(get_parameter=parameter("x"))

    resolvers(aws)["ssm"]("/p", ("eu-west-1", "raw"))  # type: ignore[arg-type]
    resolvers(aws)["ssm"]("/p", ("noDecrypt",))  # type: ignore[arg-type]

    assert aws.calls == [
        ("get_parameter", "eu-west-1", {"Name": "/p", "WithDecryption": True}),
        ("get_parameter", "", {"Name": "/p", "WithDecryption": False}),
    ]


@pytest.mark.parametrize(
    ("source", "address", "answers"),
    [
        ("ssm", "/p", {"get_parameter": refused("ParameterNotFound")}),
        ("s3", "b/k", {"get_object": refused("NoSuchKey", 404)}),
        ("cf", "s.O", {"describe_stacks": refused("ValidationError", text="Stack with id s does not exist")}),
        ("cf", "s.O", {"describe_stacks": lambda **_: {"Stacks": [{"Outputs": []}]}}),
        ("cf", "s.O", {"describe_stacks": lambda **_: {"Stacks": [{}]}}),
    ],
    ids=["ssm", "s3", "no-stack", "no-output", "no-outputs"],
)
def test_what_aws_does_not_have_is_none(source: str, address: str, answers: dict[str, Answer]) -> None:
    assert ask(source, address, **answers) is None


def test_cf_asks_for_each_stack_once_and_in_each_region() -> None:
    outputs = [{"OutputKey": "A", "OutputValue": "1"}, {"OutputKey": "B.C", "OutputValue": "2"}]
    aws = FakeAws(describe_stacks=lambda **_: {"Stacks": [{"Outputs": outputs}]})
    cf = resolvers(aws)["cf"]  # type: ignore[arg-type]

    assert [cf("s.A", ()), cf("s.B.C", ()), cf("s.A", ("eu-west-1",))] == ["1", "2", "1"]
    assert [region for _, region, _ in aws.calls] == ["", "eu-west-1"]


def test_s3_gives_an_object_as_text() -> None:
    assert ask("s3", "b/k/l.txt", get_object=lambda **_: {"Body": BytesIO("é".encode())}) == "é"


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff", "is not UTF-8"), (b"x" * 1_000_001, "is larger than 1,000,000 bytes")]
)
def test_s3_refuses_what_is_no_short_text(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        ask("s3", "b/k", get_object=lambda **_: {"Body": BytesIO(data)})


@pytest.mark.parametrize(
    ("source", "address", "params", "said"),
    [
        ("s3", "bucket", (), "s3:bucket names no object"),
        ("s3", "b/k", ("eu-west-1",), "takes nothing in parentheses"),
        ("cf", "stack", (), "cf:stack names no output of a stack"),
        ("cf", "s.O", ("a", "b"), "cf\\(a, b\\) is not understood"),
        ("ssm", "/p~true", (), "form of Serverless 1 and 2"),
    ],
)
def test_a_variable_that_asks_wrongly_is_refused(source: str, address: str, params: tuple[str, ...], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        ask(source, address, *params)


def test_a_refusal_is_said_once_and_asked_for_once() -> None:
    aws = FakeAws(get_parameter=refused("AccessDeniedException"))
    ssm = resolvers(aws)["ssm"]  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(RefusedError, match="ssm:/p cannot be asked for: x:Y: no"):
            ssm("/p", ())
    assert len(aws.calls) == 1


@pytest.mark.parametrize(("code", "status"), [("NoCredentials", 0), ("InternalFailure", 500), ("ExpiredToken", 400)])
def test_an_outage_is_no_fault_of_the_file(code: str, status: int) -> None:
    with pytest.raises(AwsError):
        ask("ssm", "/p", get_parameter=refused(code, status))


YML = """\
service: own
provider:
  name: aws
  runtime: python3.13
  environment:
    KEY: ${ssm:/key}
    AGAIN: ${ssm:/key}
    INNER: ${self:custom.secret.password}
    ACCOUNT: ${aws:accountId}
    OTHER: ${cf:gone.Url, 'none'}
    UNUSED: ${env:SET, ssm:/never}
custom:
  secret: ${ssm:/aws/reference/secretsmanager/db}
functions:
  f: {handler: handler.f}
"""


def load(tmp_path: Path, aws: FakeAws) -> Any:
    (tmp_path / "serverless.yml").write_text(YML)
    (tmp_path / "handler.py").write_text("def f(event, context): ...\n")
    return load_service(tmp_path, env={"SET": "1"}, resolvers=resolvers(aws))  # type: ignore[arg-type]


def test_a_service_has_what_aws_said_and_each_address_was_asked_for_once(tmp_path: Path) -> None:
    def parameters(**asked: Any) -> Mapping[str, Any]:
        if asked["Name"] == "/key":
            return {"Parameter": {"Type": "SecureString", "Value": "${env:SET}"}}
        return {"Parameter": {"Type": "SecureString", "Value": '{"password": "${self:service}", "user": "u"}'}}

    missing = refused("ValidationError", text="Stack with id gone does not exist")
    aws = FakeAws(get_parameter=parameters, describe_stacks=missing)

    service = load(tmp_path, aws)

    assert service.functions["f"].environment == {
        "KEY": "${env:SET}",  # what AWS says is text, and no further variable
        "AGAIN": "${env:SET}",
        "INNER": "${self:service}",
        "ACCOUNT": "123456789012",
        "OTHER": "none",
        "UNUSED": "1",
    }
    assert sorted(name for name, *_ in aws.calls) == ["describe_stacks", "get_parameter", "get_parameter", "sts"]
    assert service.awaits == ()


def test_secrets_are_not_among_the_values_that_check_shows(tmp_path: Path) -> None:
    aws = FakeAws(get_parameter=parameter('{"password": "hunter2"}', "SecureString"), describe_stacks=refused("X"))
    aws.answers["describe_stacks"] = lambda **_: {"Stacks": [{}]}

    shown = str(load(tmp_path, aws).values)

    assert "hunter2" not in shown
    assert "(7 characters)" in shown


def test_a_secret_in_a_wrong_place_is_not_among_the_words_of_the_error(tmp_path: Path) -> None:
    aws = FakeAws(get_parameter=parameter("hunter2", "SecureString"))
    (tmp_path / "serverless.yml").write_text(
        "service: own\nprovider: {name: aws, runtime: python3.13, memorySize: '${ssm:/key}'}\n"
        "functions: {f: {handler: handler.f}}\n"
    )

    with pytest.raises(ConfigurationError, match="memorySize is a value of 7 characters") as caught:
        load_service(tmp_path, env={}, resolvers=resolvers(aws))  # type: ignore[arg-type]

    assert "hunter2" not in str(caught.value)


def test_a_refusal_names_the_line_of_every_variable(tmp_path: Path) -> None:
    aws = FakeAws(get_parameter=refused("AccessDeniedException"), describe_stacks=lambda **_: {"Stacks": [{}]})

    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, aws)

    places = [problem.where for problem in caught.value.problems]
    assert places[:3] == ["serverless.yml:6:10", "serverless.yml:7:12", "serverless.yml:13:11"]
    assert "the secret 'db'" in str(caught.value)
    assert "fix       mend it" in str(caught.value)
