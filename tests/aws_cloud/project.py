"""A project that is deployed again and again: one function, whose code is one of two ready-made archives."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_cloud.commands import Commands, Ended, Running

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

STACK, FUNCTION = "own-dev", "own-dev-hello"
_YML = """service: own
provider: {name: aws, runtime: python3.13}
package: {artifact: code.zip}
functions:
  hello:
    handler: handler.hello
    events:
      - httpApi: GET /hello
"""


def clean_env() -> dict[str, str]:
    """Return the environment without what could name another AWS; the cache stays."""
    kept = {"BAREBOAT_CACHE_DIR"}
    return {key: one for key, one in os.environ.items() if key in kept or not key.startswith(("AWS_", "BAREBOAT_"))}


class Project:
    """The project, and bareboat run in it as a person types it."""

    def __init__(self, cloud: AwsCloud, commands: Commands, home: Path) -> None:
        self.cloud = cloud
        self.home = home
        self._commands = commands
        self.env: Mapping[str, str] = {**clean_env(), **cloud.env(home), "BAREBOAT_CACHE_DIR": str(home / "cache")}
        (home / "serverless.yml").write_text(_YML)
        self.write()

    def keep(self, versions: int) -> None:
        """Say how many versions stay beside the live one."""
        text = f"custom: {{bareboat: {{keep: {versions}}}}}\n"
        (self.home / "serverless.yml").write_text(_YML + text)

    def write(self) -> str:
        """Write code that was never there before, and return its CodeSha256."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            text = f"def hello(event, context):\n    return '{uuid4()}'\n"
            entry = zipfile.ZipInfo("handler.py")
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, text)
        (self.home / "code.zip").write_bytes(buffer.getvalue())
        return self.code

    @property
    def code(self) -> str:
        """The CodeSha256 of what is written."""
        return b64encode(hashlib.sha256((self.home / "code.zip").read_bytes()).digest()).decode()

    def versions(self, aws: Any) -> list[Any]:
        """Return the versions of the service, as `bareboat list` shows them."""
        from bareboat.aws.bucket import find_bucket
        from bareboat.aws.stack import stack_template
        from bareboat.aws.versions import read_versions

        bucket = find_bucket(aws, self.service)
        assert bucket is not None
        return list(read_versions(aws, bucket, stack_template(aws, STACK)).all)

    @property
    def service(self) -> Any:
        """The service, as it is written."""
        from bareboat.service import load_service

        return load_service(self.home / "serverless.yml", env={})

    @property
    def live_code(self) -> str:
        """The CodeSha256 of the function that is deployed; "" for none."""
        client = self.cloud.client("lambda")
        try:
            return str(client.get_function_configuration(FunctionName=FUNCTION)["CodeSha256"])
        except client.exceptions.ResourceNotFoundException:
            return ""

    @property
    def stack(self) -> Any:
        """The stack, as the cloud knows it; None where there is none."""
        return self.cloud.world.stack(STACK, self.cloud.region)

    def start(self, *arguments: str, read_s: float | None = None) -> Running:
        """Start `bareboat ...`."""
        return self._commands.start(arguments, cwd=self.home, env=self.env, read_s=read_s)

    def run(self, *arguments: str, read_s: float | None = None) -> Ended:
        """Run `bareboat ...` to its end, and all that it set going."""
        ended = self.start(*arguments, read_s=read_s).ended()
        self.cloud.settle()
        return ended
