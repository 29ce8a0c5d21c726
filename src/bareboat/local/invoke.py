"""One event, one answer, synchronously: what `bareboat invoke local` calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bareboat.artifact.model import Artifact
from bareboat.errors import ConfigurationError
from bareboat.local.invocation import Invocation
from bareboat.local.pool import Pool
from bareboat.service.model import Service


def invoke_local(
    service: Service,
    function_name: str,
    artifact: Artifact,
    event: bytes,
    *,
    client_context: str = "",
    folder: Path | None = None,
) -> Invocation:
    """Start the function, run it on one event, end it, and return what came of it.

    Args:
        event: JSON.
        client_context: JSON, as the Invoke API's ClientContext decodes to.
        folder: where the artifact is unpacked, when it already is.
    Raises:
        ConfigurationError: the service has no such function.
        Throttled: the function's reservedConcurrency is 0.
        LocalError: no interpreter of the artifact's version, or the runtime client cannot be installed.
    """
    function = service.functions.get(function_name)
    if function is None:
        raise ConfigurationError(
            f"there is no function {function_name}",
            expected=f"one of {', '.join(service.functions)}",
            where=str(service.path),
        )

    async def once() -> Invocation:
        pool = Pool(function, artifact, region=service.provider.region, max_processes=1, folder=folder)
        await pool.start()
        try:
            return await pool.invoke(event, client_context=client_context)
        finally:
            await pool.close()

    return asyncio.run(once())
