"""Image functions: addresses by digest, recipes built and pushed to the service's repository."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.client import AwsError
from bareboat.aws.images import load_images, push_images, repository_of
from bareboat.aws.shipment import ImageCode
from bareboat.errors import ConfigurationError
from bareboat.service import load_service

ACCOUNT = "123456789012"
DIGEST = "sha256:" + "ab" * 32
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(image: str, ecr: str = "{}") -> Any:
        (tmp_path / "serverless.yml").write_text(
            f"service: my-Own\nprovider: {{name: aws, stage: dev-, ecr: {ecr}}}\n"
            f"functions:\n  predict:\n    image: {image}\n"
        )
        return load_service(tmp_path, env={})

    return loaded


def code(aws: Any, service: Any) -> ImageCode:
    found = load_images(aws, service, account=ACCOUNT).functions["predict"].code
    assert isinstance(found, ImageCode)
    return found


def test_the_repository_is_called_as_serverless_calls_it(load: Load) -> None:
    assert repository_of(load(f"{HOST}/x@{DIGEST}")) == "serverless-my-own-dev"


def test_an_address_with_a_digest_is_taken_as_it_is(load: Load, scripted: Any) -> None:
    found = code(scripted({}), load(f"{HOST}/x@{DIGEST}"))

    assert (found.uri, found.sha256) == (f"{HOST}/x@{DIGEST}", "ab" * 32)


def test_ecr_is_asked_what_a_tag_means(load: Load, scripted: Any) -> None:
    aws = scripted({"ecr:describe_images": {"imageDetails": [{"imageDigest": DIGEST}]}})

    found = code(aws, load(f"{{uri: '{HOST}/models/x:v1', command: [app.handle]}}"))

    assert (found.uri, found.command) == (f"{HOST}/models/x@{DIGEST}", ("app.handle",))
    (asked,) = aws.asked("ecr:describe_images")
    assert (asked["repositoryName"], asked["imageIds"]) == ("models/x", [{"imageTag": "v1"}])


def test_a_name_of_the_provider_stands_for_its_address(load: Load, scripted: Any) -> None:
    service = load("{name: base}", f"{{images: {{base: {{uri: '{HOST}/x@{DIGEST}'}}}}}}")

    assert code(scripted({}), service).uri == f"{HOST}/x@{DIGEST}"


def test_a_dockerfile_is_refused_with_what_to_do(load: Load, scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    service = load("{name: base}", "{images: {base: {path: ./, file: Dockerfile}}}")

    with pytest.raises(ConfigurationError, match="is no recipe of bareboat's") as refused:
        code(scripted({}), service)
    assert "image.yml" in refused.value.problems[0].fix


def test_the_repository_is_made_where_there_is_none(load: Load, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = base64.b64encode(b"AWS:secret").decode()
    aws = scripted(
        {
            "ecr:describe_repositories": AwsError("no", code="RepositoryNotFoundException", operation="x"),
            "ecr:create_repository": {},
            "ecr:get_authorization_token": {"authorizationData": [{"authorizationToken": token}]},
        }
    )
    service = load("{name: base}", "{scanOnPush: true, images: {base: {path: ./}}}")
    pushed: list[Any] = []
    monkeypatch.setattr(
        "bareboat.container.push.push", lambda _layout, image, where, **_: pushed.append((image, where))
    )
    opened: list[Any] = []

    class Opened:
        def __init__(self, host: str, *, credentials: Any) -> None:
            opened.append((host, credentials(host, "x")))

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    from bareboat.aws.images import BuiltImage

    image: Any = object()
    push_images(aws, service, (BuiltImage("base", image),), account=ACCOUNT, open_registry=Opened)  # type: ignore[arg-type]

    assert aws.asked("ecr:create_repository") == [
        {"repositoryName": "serverless-my-own-dev", "imageScanningConfiguration": {"scanOnPush": True}}
    ]
    ((host, who),) = opened
    assert (host, who.user, who.password) == (HOST, "AWS", "secret")
    assert pushed == [(image, f"{HOST}/serverless-my-own-dev:base")]
