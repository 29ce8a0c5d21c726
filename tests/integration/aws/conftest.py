"""The test cloud of each worker, and an environment in which it is AWS."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bareboat.aws.client import Aws

_HOME = Path(__file__).parents[2] / "aws_cloud"
if "aws_cloud" not in sys.modules:  # the tests are no packages; this one is, under its bare name
    _spec = importlib.util.spec_from_file_location(
        "aws_cloud", _HOME / "__init__.py", submodule_search_locations=[str(_HOME)]
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["aws_cloud"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["aws_cloud"])

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud
    from aws_cloud.commands import Commands


@pytest.fixture(scope="session")
def _aws_cloud() -> Iterator[AwsCloud]:
    from aws_cloud.cloud import AwsCloud

    cloud = AwsCloud()
    yield cloud
    cloud.close()


@pytest.fixture
def aws_cloud(_aws_cloud: AwsCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsCloud]:
    """AWS for one test: empty, without faults, and the only one that its environment knows."""
    _aws_cloud.reset()
    for name, value in _aws_cloud.env(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    yield _aws_cloud
    _aws_cloud.heal()
    _aws_cloud.settle()


@pytest.fixture
def aws(aws_cloud: AwsCloud) -> Aws:
    """A client of the test cloud, quick to give up on what hangs."""
    return Aws(aws_cloud.region, attempts=3, read_s=10)


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """`bareboat ...` as processes, in 15 ms each."""
    from aws_cloud.commands import Commands

    commands = Commands()
    yield commands
    commands.close()
