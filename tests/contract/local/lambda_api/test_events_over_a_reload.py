"""Events that wait while the function is replaced, as test_async_invoke_queue_upon_function_update recorded it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from bareboat.local.cloud import LocalCloud

CODE = """
import os, time

def handler(event, context):
    folder = event["folder"]
    with open(os.path.join(folder, "history"), "a") as file:
        file.write(event["payload"] + "--variant-VARIANT\\n")
    while event["payload"].endswith("sleep") and not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.005)
"""


def test_events_that_wait_run_on_the_new_code(making: ModuleType, tmp_path: Path, oracle: Path) -> None:
    entries = json.loads((oracle / "localstack" / "lambda___test_lambda.snapshot.json").read_bytes())
    (expected,) = (
        entry["recorded-content"]["async_invoke_history_sorted"]
        for key, entry in entries.items()
        if key.endswith("::test_async_invoke_queue_upon_function_update")
    )
    payloads = [line.partition("--")[0] for line in expected]
    before = payloads.index("11-after")
    history = tmp_path / "history"

    def state(variant: int) -> tuple[Any, Any]:
        folder = tmp_path / str(variant)
        folder.mkdir()
        function = making.function("f", "app.handler", reserved_concurrency=1, timeout_s=30)
        files = {"app.py": CODE.replace("VARIANT", str(variant))}
        return making.service(folder, [function]), {"f": making.package(folder, ["f"], files, {"f": "app.handler"})}

    def lines() -> list[str]:
        return history.read_text().splitlines() if history.exists() else []

    async def until(count: int) -> None:
        async with asyncio.timeout(30):
            while len(lines()) < count:
                await asyncio.sleep(0.01)

    async def body() -> None:
        async with LocalCloud(*state(1), port=0, grace_s=1) as cloud, httpx.AsyncClient() as client:
            url = f"{cloud.urls['lambda']}/2015-03-31/functions/f/invocations"

            async def send(payload: str) -> None:
                answer = await client.post(
                    url,
                    json={"payload": payload, "folder": str(tmp_path)},
                    headers={"X-Amz-Invocation-Type": "Event"},
                )
                assert answer.status_code == 202

            await send(payloads[0])
            await until(1)
            for payload in payloads[1:before]:
                await send(payload)
            await cloud.replace(*state(2))
            (tmp_path / "go").touch()
            for payload in payloads[before:]:
                await send(payload)
            await until(len(payloads))

    asyncio.run(body())

    assert lines() == expected


def test_the_door_is_on_loopback_whatever_the_host(making: ModuleType, tmp_path: Path) -> None:
    function = making.function("f", "app.handler")
    artifact = making.package(tmp_path, ["f"], {"app.py": CODE}, {"f": "app.handler"})

    async def body() -> dict[str, str]:
        service = making.service(tmp_path, [function])
        async with LocalCloud(service, {"f": artifact}, host="127.0.0.2", port=0) as cloud:
            return cloud.urls

    urls = asyncio.run(body())

    assert urls["httpApi"].startswith("http://127.0.0.2:")
    assert urls["lambda"].startswith("http://127.0.0.1:")
