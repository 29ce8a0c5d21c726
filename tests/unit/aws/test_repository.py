"""The ECR repository of a service's images, where one cannot be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from bareboat.aws.belongings import find_repository
from bareboat.aws.client import Aws, AwsError
from bareboat.service import load_service

PLAIN = "service: plain\nprovider: {name: aws, runtime: python3.13}\nfunctions: {f: {handler: h.f}}\n"
IMAGE = "service: plain\nprovider: {name: aws, ecr: {images: {one: {path: .}}}}\nfunctions: {f: {image: one}}\n"


class WithoutEcr:
    """AWS where every call is refused in one way."""

    def __init__(self, code: str, status: int) -> None:
        self.code, self.status = code, status

    def call(self, service: str, operation: str, **_: Any) -> Any:
        raise AwsError("no", code=self.code, operation=f"{service}:{operation}", status=self.status)


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 400), ("InternalFailure", 501)])
def test_find_repository_finds_none_where_ecr_cannot_be_asked(tmp_path: Path, code: str, status: int) -> None:
    (tmp_path / "serverless.yml").write_text(PLAIN)
    (tmp_path / "h.py").write_text("def f(event, context): ...\n")

    assert find_repository(cast(Aws, WithoutEcr(code, status)), load_service(tmp_path)) == ("", 0)


@pytest.mark.parametrize(("yml", "status"), [(PLAIN, 500), (IMAGE, 501)])
def test_find_repository_tells_of_other_errors_and_of_services_with_images(
    tmp_path: Path, yml: str, status: int
) -> None:
    (tmp_path / "serverless.yml").write_text(yml)
    (tmp_path / "h.py").write_text("def f(event, context): ...\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")

    with pytest.raises(AwsError):
        find_repository(cast(Aws, WithoutEcr("InternalFailure", status)), load_service(tmp_path))
