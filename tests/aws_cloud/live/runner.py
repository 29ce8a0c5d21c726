"""Archives as they were uploaded -> local clouds that run them, one for each state of a service."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.artifact.reader import open_artifact

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.invocation import Invocation
    from bareboat.service.model import Service

_WAIT_S = 60


@dataclass(frozen=True)
class Deployed:
    """One function as it runs at a version: its archive and what Lambda was told of it.

    Args:
        name: in serverless.yml.
        version: `$LATEST` or a number.
        settings: Handler, MemorySize, Timeout, Environment, as GetFunctionConfiguration has them.
    """

    name: str
    full_name: str
    version: str
    alias: str
    code: bytes
    settings: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.name, hashlib.sha256(self.code).hexdigest(), repr(sorted(self.settings.items()))


class Runner:
    """Local clouds on one thread.

    Args:
        folder: where archives are put.
        on_log: told of each invocation, on the thread of the clouds.
    """

    def __init__(self, folder: Path, on_log: Callable[[Invocation, Mapping[str, Deployed]], None]) -> None:
        self._folder = folder
        self._on_log = on_log
        self._clouds: dict[Any, LocalCloud] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def cloud(self, service: Service, functions: Mapping[str, Deployed]) -> LocalCloud:
        """Return the local cloud of a service whose functions are at these versions."""
        key = (id(service), *(functions[name].key for name in sorted(functions)))
        with self._lock:
            if key not in self._clouds:
                self._clouds[key] = self._run(self._started(service, functions))
            return self._clouds[key]

    def invoke(self, cloud: LocalCloud, function: str, event: bytes, **more: Any) -> Invocation:
        """Invoke a function.

        Raises:
            Throttled: its concurrency limit is reached.
        """
        return self._run(cloud.invoke(function, event, **more))

    async def _started(self, service: Service, functions: Mapping[str, Deployed]) -> LocalCloud:
        from bareboat.local.cloud import LocalCloud

        kept = {name: _as_told(service.functions[name], one.settings) for name, one in functions.items()}
        artifacts = {name: self._artifact(one) for name, one in functions.items()}
        cloud = LocalCloud(
            replace(service, functions=kept),
            artifacts,
            port=0,
            console=False,
            on_log=lambda invocation: self._on_log(invocation, functions),
        )
        await cloud.start()
        return cloud

    def _artifact(self, deployed: Deployed) -> Artifact:
        """Return the archive as an artifact; every file of it is compared with its manifest."""
        path = self._folder / f"{hashlib.sha256(deployed.code).hexdigest()}.zip"
        if not path.exists():
            path.write_bytes(deployed.code)
        artifact = open_artifact(path)
        said, told = artifact.handlers.get(deployed.name), deployed.settings["Handler"]
        assert said == told, f"the archive's handler is {said}, Lambda was told {told}"
        return artifact

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT_S)

    def reset(self) -> None:
        """End every local cloud."""
        clouds, self._clouds = self._clouds, {}
        for cloud in clouds.values():
            self._run(cloud.close())

    def close(self) -> None:
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _as_told(function: Any, settings: Mapping[str, Any]) -> Any:
    """Return a function with the settings that Lambda has."""
    return replace(
        function,
        memory_mb=settings["MemorySize"],
        timeout_s=settings["Timeout"],
        environment=settings["Environment"],
    )
