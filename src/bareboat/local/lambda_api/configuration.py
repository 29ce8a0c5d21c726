"""A function of the service -> what Lambda's API says of it: its configuration, its URL, its tags."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from bareboat.artifact.model import Artifact
from bareboat.local.spec import ACCOUNT
from bareboat.service.model import Function, Service
from bareboat.service.triggers import SourceEvent

# What AWS answers where a variable cannot be decrypted. Other users of this machine reach this port too.
NOT_TOLD = {
    "Error": {
        "ErrorCode": "AccessDeniedException",
        "Message": "The local Lambda API does not tell environment variables; bareboat check does",
    }
}


class Configurations:
    """What is said of the functions of one service.

    Args:
        artifact_of: returns the artifact of a function by name, as far as there is one.
    """

    def __init__(self, service: Service, artifact_of: Callable[[str], Artifact | None]) -> None:
        self._service = service
        self._artifact_of = artifact_of
        self._since_s = round(time.time(), 3)
        self._since = _moment(self._since_s)

    def configuration(self, function: Function, arn: str, *, listed: bool = False) -> dict[str, Any]:
        """Return a FunctionConfiguration, with what was recorded of one.

        Args:
            arn: with the qualifier that was asked for.
            listed: as ListFunctions has it, without the state of the function.
        """
        artifact = self._artifact_of(function.name)
        region = self._service.provider.region
        digest = bytes.fromhex(artifact.digest) if artifact is not None and artifact.digest else b""
        said: dict[str, Any] = {
            "FunctionName": function.full_name,
            "FunctionArn": arn,
            "Runtime": function.runtime,
            "Role": self._role(function),
            "Handler": self._handler(function),
            "CodeSize": artifact.size_bytes if artifact is not None else 0,
            "Description": function.description,
            "Timeout": function.timeout_s,
            "MemorySize": function.memory_mb,
            "LastModified": self._modified(artifact),
            "CodeSha256": b64encode(digest or bytes(32)).decode(),
            "Version": "$LATEST",
            "TracingConfig": {"Mode": "PassThrough"},
            "RevisionId": _uuid(function.full_name, digest.hex()),
            "PackageType": "Zip",
            "Architectures": [function.architecture],
            "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.full_name}"},
        }
        if function.environment:
            said["Environment"] = NOT_TOLD
        if not listed:
            runtime = hashlib.sha256(function.runtime.encode()).hexdigest()
            said |= {
                "State": "Active",
                "LastUpdateStatus": "Successful",
                "RuntimeVersionConfig": {"RuntimeVersionArn": f"arn:aws:lambda:{region}::runtime:{runtime}"},
            }
        return said

    def function(self, function: Function, arn: str) -> dict[str, Any]:
        """Return what GetFunction answers; the code's location is the archive on this machine."""
        artifact = self._artifact_of(function.name)
        said: dict[str, Any] = {
            "Configuration": self.configuration(function, arn),
            "Code": {"RepositoryType": "S3", "Location": artifact.path.as_uri() if artifact is not None else ""},
        }
        if tags := self.tags(function):
            said["Tags"] = tags
        if function.reserved_concurrency is not None:
            said["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return said

    def url(self, function: Function, arn: str, address: str) -> dict[str, Any]:
        """Return a FunctionUrlConfig."""
        url = function.url
        assert url is not None
        said: dict[str, Any] = {
            "FunctionUrl": address,
            "FunctionArn": arn,
            "AuthType": url.auth,
            "CreationTime": self._since,
            "LastModifiedTime": self._since,
            "InvokeMode": url.invoke_mode,
        }
        if url.cors is not None:
            cors = url.cors
            said["Cors"] = {
                "AllowCredentials": cors.allow_credentials,
                "AllowHeaders": list(cors.allowed_headers),
                "AllowMethods": list(cors.allowed_methods),
                "AllowOrigins": list(cors.allowed_origins),
                "ExposeHeaders": list(cors.exposed_headers),
                "MaxAge": cors.max_age_s or 0,
            }
        return said

    def tags(self, function: Function) -> dict[str, str]:
        """Return the function's tags."""
        tags = function.options.get("tags")
        return {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}

    def mappings(self, function: Function, arn: str) -> list[dict[str, Any]]:
        """Return an EventSourceMappingConfiguration for each queue of a function."""
        return [
            self._mapping(function, event, arn)
            for event in function.events
            if isinstance(event, SourceEvent) and event.kind == "sqs"
        ]

    def _mapping(self, function: Function, event: SourceEvent, arn: str) -> dict[str, Any]:
        region = self._service.provider.region
        config = event.config if isinstance(event.config, dict) else {"arn": event.config}
        written = config.get("arn")
        known = isinstance(written, str) and written.startswith("arn:") and "$" not in written
        uuid = _uuid(function.full_name, event.kind, event.name)
        said: dict[str, Any] = {
            "UUID": uuid,
            "BatchSize": event.batch_size,
            "MaximumBatchingWindowInSeconds": config.get("maximumBatchingWindow") or 0,
            "EventSourceArn": written if known else f"arn:aws:sqs:{region}:{ACCOUNT}:{event.name}",
            "FunctionArn": arn,
            "LastModified": self._since_s,
            "State": "Enabled" if event.enabled else "Disabled",
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if event.reports_failures else [],
            "EventSourceMappingArn": f"arn:aws:lambda:{region}:{ACCOUNT}:event-source-mapping:{uuid}",
        }
        if config.get("maximumConcurrency") is not None:
            said["ScalingConfig"] = {"MaximumConcurrency": config["maximumConcurrency"]}
        return said

    def account(self) -> dict[str, Any]:
        """Return what GetAccountSettings answers: Lambda's default quotas."""
        functions = self._service.functions
        reserved = sum(function.reserved_concurrency or 0 for function in functions.values())
        artifacts = {one.path: one for name in functions if (one := self._artifact_of(name)) is not None}
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": 1000,
                "UnreservedConcurrentExecutions": max(1000 - reserved, 0),
            },
            "AccountUsage": {
                "TotalCodeSize": sum(artifact.size_bytes for artifact in artifacts.values()),
                "FunctionCount": len(functions),
            },
        }

    def _role(self, function: Function) -> str:
        role = function.options.get("role")
        if isinstance(role, str) and role.startswith("arn:"):
            return role
        provider = self._service.provider
        name = f"{self._service.name}-{provider.stage}-{provider.region}-lambdaRole"
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def _handler(self, function: Function) -> str:
        artifact = self._artifact_of(function.name)
        known = artifact.handlers.get(function.name) if artifact is not None else None
        return known or function.handler or "bareboat.runtime.handler.handle"

    def _modified(self, artifact: Artifact | None) -> str:
        try:
            return _moment(artifact.path.stat().st_mtime) if artifact is not None else self._since
        except OSError:
            return self._since


def _moment(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03}+0000"


def _uuid(*parts: str) -> str:
    text = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
