"""The test cloud as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from aws_cloud.bucket_policies import BucketPolicies
from aws_cloud.calls import Calls
from aws_cloud.faults import Fault, How
from aws_cloud.formation.api import Formation
from aws_cloud.formation.world import World
from aws_cloud.kept import Kept
from aws_cloud.kinds.all import KINDS
from aws_cloud.messages import Answer, Request
from aws_cloud.moto import ACCOUNT, REGION, Moto
from aws_cloud.proxy import Proxy


class AwsCloud:
    """AWS for tests: moto behind the proxy, with one account and every region."""

    account = ACCOUNT
    region = REGION

    def __init__(self) -> None:
        self.moto = Moto()
        self.kept = Kept()
        self.world = World(self.moto, KINDS, self.kept)
        formation = Formation(self.world)

        def cloudformation(request: Request, ask: Callable[[Request], Answer]) -> Answer | None:
            return formation.answer(request) if request.operation.service == "cloudformation" else None

        self._proxy = Proxy(self.moto.port, (cloudformation, BucketPolicies(self.moto, self.kept)))

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

    def settle(self) -> None:
        """Wait until no operation of CloudFormation is under way."""
        self.world.settle()

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
        self.world.reset()
        self.kept.reset()
        self.moto.reset()
        self.calls.clear()

    def close(self) -> None:
        self._proxy.close()
        self.moto.close()
