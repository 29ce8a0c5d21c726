"""Provisioned concurrency, of which moto has no calls."""

from __future__ import annotations

from typing import Any

from aws_cloud.kept import Kept
from aws_cloud.messages import Answer, Refused, Request, as_json
from aws_cloud.moto import ACCOUNT, Moto


class Provisioned:
    """Answers the calls of provisioned concurrency: it is there at once."""

    def __init__(self, moto: Moto, kept: Kept) -> None:
        self._moto = moto
        self._kept = kept

    def __call__(self, request: Request, name: str, qualifier: str) -> Answer | None:
        """Answer a call; None for any other."""
        operation, region = request.operation.name, request.operation.region
        key = (region, name, qualifier)
        if operation == "PutProvisionedConcurrencyConfig":
            self._kept.provisioned[key] = {"Requested": int(request.json["ProvisionedConcurrentExecutions"])}
            return as_json(_told(self._kept.provisioned[key]), 202)
        if operation == "ListProvisionedConcurrencyConfigs":
            listed = [
                {"FunctionArn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}:{one[2]}", **_told(said)}
                for one, said in self._kept.provisioned.items()
                if one[:2] == (region, name)
            ]
            return as_json({"ProvisionedConcurrencyConfigs": listed})
        if operation not in {"GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"}:
            return None
        if key not in self._kept.provisioned:
            raise Refused(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                404,
                Type="User",
            )
        if operation == "DeleteProvisionedConcurrencyConfig":
            del self._kept.provisioned[key]
            return as_json(None, 204)
        return as_json(_told(self._kept.provisioned[key]))


def _told(said: dict[str, Any]) -> dict[str, Any]:
    wanted = said["Requested"]
    return {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": wanted,
        "AllocatedProvisionedConcurrentExecutions": wanted,
        "Status": "READY",
        "LastModified": "2026-11-22T12:00:00+0000",
    }
