"""The test cloud as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from aws_cloud.bucket_policies import BucketPolicies
from aws_cloud.calls import Calls
from aws_cloud.faults import Fault, How
from aws_cloud.formation.api import Formation
from aws_cloud.formation.world import World
from aws_cloud.kept import Kept
from aws_cloud.kinds.all import KINDS
from aws_cloud.lambda_api import LambdaApi
from aws_cloud.live.endpoints import Endpoints
from aws_cloud.live.functions import LiveFunctions
from aws_cloud.live.invoke import Invoke
from aws_cloud.live.runner import Runner
from aws_cloud.live.watch import Watch
from aws_cloud.messages import Answer, Request
from aws_cloud.moto import ACCOUNT, REGION, Moto
from aws_cloud.proxy import Proxy

if TYPE_CHECKING:
    from bareboat.service.model import Service


class AwsCloud:
    """AWS for tests: moto behind the proxy, with one account and every region.

    `notes` is for tests that leave something to the next; a reset forgets it.
    """

    account = ACCOUNT
    region = REGION

    def __init__(self) -> None:
        self.moto = Moto()
        self.kept = Kept()
        self.world = World(self.moto, KINDS, self.kept)
        formation = Formation(self.world)

        def cloudformation(request: Request, ask: Callable[[Request], Answer]) -> Answer | None:
            return formation.answer(request) if request.operation.service == "cloudformation" else None

        self._folder = TemporaryDirectory(prefix="bareboat-cloud-")
        self._services: list[Service] = []
        self.notes: dict[str, Any] = {}
        self._watch = Watch(self.moto, self.kept)
        self._runner = Runner(Path(self._folder.name), self._watch)
        functions = LiveFunctions(self.moto, self.kept, self._services)
        invoke = Invoke(functions, self._runner, self.world)
        self._lambda = LambdaApi(self.moto, self.kept, invoke, lambda: self.endpoint)
        fronts = (
            Endpoints(self.moto, functions, self._runner),
            cloudformation,
            self._lambda,
            BucketPolicies(self.moto, self.kept),
        )
        self._proxy = Proxy(self.moto.port, fronts)

    @property
    def endpoint(self) -> str:
        """The address that stands for all of AWS."""
        return self._proxy.endpoint

    @property
    def calls(self) -> Calls:
        """The calls since the last reset."""
        return self._proxy.calls

    def fail(self, operation: str, how: How, **more: Any) -> Fault:
        """Let the next call of an operation fail, such as `cloudformation:ExecuteChangeSet`; see Fault."""
        return self._proxy.faults.add(Fault(operation, how, **more))

    def heal(self) -> None:
        """Take every fault back."""
        self._proxy.faults.clear()

    def client(self, service: str) -> Any:
        """Return botocore's client of what there is, past the proxy's record and faults where moto answers."""
        return self.moto.client(service)

    def web_env(self, home: Path) -> dict[str, str]:
        """Return the environment in which the addresses of APIs are reached, https and all."""
        authority = self._proxy.authority.write(home / "authority.pem")
        return {"HTTPS_PROXY": self.endpoint, "SSL_CERT_FILE": str(authority)}

    def serve(self, service: Service) -> None:
        """Say what serverless.yml is behind the functions that are deployed; what runs comes from their archives."""
        self._services.append(service)

    def settle(self) -> None:
        """Wait until no operation of CloudFormation is under way, and all logs and metrics are written."""
        self.world.settle()
        self._watch.settle()

    def env(self, home: os.PathLike[str]) -> Mapping[str, str]:
        """Return the environment in which this cloud is AWS, and nothing of the user's is seen."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": os.path.join(home, "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": os.path.join(home, "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def reset(self) -> None:
        """Forget everything."""
        self.heal()
        self.notes.clear()
        self.world.reset()
        self._runner.reset()
        self._watch.reset()
        self._lambda.reset()
        self._services.clear()
        self.kept.reset()
        self.moto.reset()
        self.calls.clear()

    def close(self) -> None:
        self._proxy.close()
        self._runner.close()
        self._watch.close()
        self._folder.cleanup()
        self.moto.close()
