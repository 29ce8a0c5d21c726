"""A service, a method and a path -> one test of it, synchronously: what `bareboat invoke api` calls."""

from __future__ import annotations

import asyncio

from bareboat.artifact.model import Artifact
from bareboat.errors import ConfigurationError
from bareboat.local.invocation import Invocation
from bareboat.local.pool import Pool
from bareboat.local.rest.methods import Method, rest_table
from bareboat.local.rest.trial import Trial, TrialRequest, try_method
from bareboat.service.model import Service


def find_method(service: Service, verb: str, path: str) -> Method:
    """Return the method of a REST API that takes a path; the stage before it and the query after it may be there.

    Raises:
        ConfigurationError: there is none.
        LocalError: the API is none that AWS would make.
    """
    table = rest_table(service)
    bare = "/" + path.partition("?")[0].strip("/")
    found = table.find(verb, bare)
    if found is None:
        stage, _, rest = bare[1:].partition("/")
        if stage == service.provider.stage:
            found = table.find(verb, "/" + rest)
    if found is None:
        keys = [method.key for method in table.routes]
        raise ConfigurationError(
            f"no method of the REST API takes {verb} {bare}",
            expected=f"one of {', '.join(keys)}" if keys else "an http event in serverless.yml",
            where=str(service.path),
        )
    return found[0]


def without_stage(service: Service, path: str) -> str:
    """Return a path without the stage that may stand before it."""
    stage = f"/{service.provider.stage}"
    return path.removeprefix(stage) or "/" if path == stage or path.startswith(f"{stage}/") else path


def try_once(service: Service, method: Method, request: TrialRequest, artifact: Artifact | None) -> Trial:
    """Start the method's function, test the method, end the function, and return what came of it.

    Args:
        artifact: of the method's function; None where no function answers.
    Raises:
        LocalError: no interpreter of the artifact's version, or the runtime client cannot be installed.
    """
    pools: list[Pool] = []

    async def invoke(name: str, event: bytes, trace_id: str, source: str) -> Invocation:
        assert artifact is not None
        pool = Pool(service.functions[name], artifact, region=service.provider.region, max_processes=1)
        pools.append(pool)
        await pool.start()
        return await pool.invoke(event, trace_id=trace_id, source=source)

    async def once() -> Trial:
        try:
            return await try_method(service, method, request, invoke)
        finally:
            for pool in pools:
                await pool.close()

    return asyncio.run(once())
