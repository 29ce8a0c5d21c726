"""A stage of a service with plain handlers, deployed again and again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.model import Artifact
from bareboat.aws.bucket import bucket_name_of
from bareboat.aws.cargo import send
from bareboat.aws.client import Aws
from bareboat.aws.deploy import Deployment, apply
from bareboat.aws.live import look, prepared
from bareboat.aws.parcels import make_shipment, parcels_of
from bareboat.aws.plan import make_plan
from bareboat.aws.progress import Progress
from bareboat.aws.template.build import bucket_template, make_template
from bareboat.packaging.target import Target
from bareboat.service import load_service
from bareboat.service.model import Service

PLAIN = """
service: demo
provider: {name: aws, runtime: python3.13}
functions:
  hello:
    handler: handler.hello
    events: [{httpApi: GET /hello}]
"""


def quick(_: float) -> None:
    """Wait for nothing."""


class Stage:
    """One stage.

    Attributes:
        yaml: serverless.yml, of the next deployment on.
    """

    def __init__(self, aws: Aws, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.yaml = PLAIN
        self.stage = "dev"

    @property
    def service(self) -> Service:
        (self.folder / "serverless.yml").write_text(self.yaml)
        (self.folder / "handler.py").write_text("def hello(event, context): return {}\n")
        return load_service(self.folder / "serverless.yml", stage=self.stage, env={})

    def artifact(self, service: Service, text: str) -> Artifact:
        """A zip whose handler is a text, with a model of the same text."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(zipfile.ZipInfo("handler.py"), text)
        data = buffer.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / f"{digest}.zip"
        path.write_bytes(data)
        return Artifact(
            path=path,
            digest=digest,
            functions=tuple(service.functions),
            target=Target("3.13", "x86_64"),
            handlers={name: one.handler or "" for name, one in service.functions.items()},
            size_bytes=len(data),
            unzipped_bytes=len(text),
            manifest={"files": {"lgb.model": {"sha256": hashlib.sha256(text.encode()).hexdigest(), "size": 1}}},
        )

    def deploy(self, text: str, *, sends: bool = True) -> Deployment:
        """Deploy code, as `bareboat deploy --yes` does; code that is not sent makes CloudFormation fail."""
        service = self.service
        artifacts = [self.artifact(service, text)]
        names = [one.full_name for one in service.functions.values()]
        live = prepared(
            self.aws, service, look(self.aws, service, names), functions=names, ask=lambda _: None, progress=Progress()
        )
        shipment = make_shipment(service, artifacts)
        plan = make_plan(self.aws, service, make_template(service, shipment), live)

        def sending(bucket: Any) -> None:
            if sends:
                send(self.aws, bucket, parcels_of(service, artifacts), Progress())

        first = None if bucket_name_of(service) else bucket_template(service)
        return apply(self.aws, plan, send=sending, shipment=shipment, first=first)

    def code(self, function: str = "demo-dev-hello") -> str:
        """The code that a function runs now."""
        said = self.aws.call("lambda", "get_function_configuration", FunctionName=function)
        return str(said["CodeSha256"])

    def sha(self, text: str) -> str:
        """What `code` is when a text is deployed."""
        import base64

        return base64.b64encode(bytes.fromhex(self.artifact(self.service, text).digest)).decode()

    def run(self, *words: str) -> Any:
        """Run a command in the folder, in this process."""
        from click.testing import CliRunner

        from bareboat.cli.root import bareboat

        return CliRunner().invoke(bareboat, [*words, "-c", str(self.folder)], prog_name="bareboat")


@pytest.fixture
def stage(aws: Aws, tmp_path: Path) -> Stage:
    """A stage that is not deployed yet."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Stage(aws, folder)


@pytest.fixture
def as_json() -> Callable[[Any], Any]:
    """Read the document that a command wrote."""
    return lambda result: json.loads(result.stdout)
