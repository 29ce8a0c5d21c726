"""`bareboat demo`: from a model file to an endpoint on this machine, with nothing prepared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.cloud import build_for_here, end_asked, request_line
from bareboat.cli.group import Command
from bareboat.cli.options import port_option
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.cli.client import Measured
    from bareboat.local.access_record import AccessRecord
    from bareboat.local.cloud import LocalCloud


TEMPLATE, FUNCTION, ROUTE = "lightgbm-iris", "predict", "/predict"
BODY = '{"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}'
REQUESTS = 200


@click.command(cls=Command)
@port_option(None, "The port.  [default: 3000, or a free one where that is taken]")
@click.option("--once", is_flag=True, help="Leave after the answers, in place of staying up.")
@click.pass_obj
def demo(terminal: Terminal, port: int | None, once: bool) -> None:
    """Serve a model that ships with bareboat, and ask it.

    It builds the artifact of an iris classifier from its model file in a temporary folder, starts the local cloud,
    sends a request, measures size and speed, and stays up for you to try.
    """
    import tempfile

    from bareboat.artifact import build
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.loop import run
    from bareboat.project import create_project, find_template
    from bareboat.service import load_service

    with tempfile.TemporaryDirectory(prefix="bareboat-demo-") as folder:
        project = create_project(find_template(TEMPLATE), Path(folder) / "iris", name="demo")
        service = load_service(project.folder / "serverless.yml")
        with terminal.progress("Packaging for Lambda") as step:
            for_lambda = build(service, function=FUNCTION, on_step=step)[FUNCTION]
        requests = RequestLog(terminal)
        artifacts = build_for_here(terminal, service, places=False)
        cloud = LocalCloud(service, artifacts, port=_port(port), on_request=requests.told)
        run(_run(terminal, cloud, for_lambda, requests, once=once))


class RequestLog:
    """The lines of requests, held back while the demo asks its own."""

    def __init__(self, terminal: Terminal) -> None:
        self.is_shown = False
        self._terminal = terminal

    def told(self, record: AccessRecord) -> None:
        """Say what a request was."""
        if self.is_shown:
            self._terminal.say(request_line(record))


async def _run(terminal: Terminal, cloud: LocalCloud, for_lambda: Artifact, log: RequestLog, *, once: bool) -> None:
    import asyncio

    from bareboat.cli.client import measure

    async with cloud:
        measured = await asyncio.to_thread(measure, cloud.url + ROUTE, BODY, requests=REQUESTS)
        terminal.result(_document(cloud, for_lambda, measured), _text(cloud, for_lambda, measured))
        if once:
            return
        terminal.say(f"\nTry it:\n  curl -H 'Content-Type: application/json' -d '{BODY}' {cloud.url}{ROUTE}\n")
        log.is_shown = True
        ended = end_asked()
        terminal.say("Ctrl-C ends it. Your own model: bareboat create --model FILE")
        await ended.wait()


def _port(given: int | None) -> int:
    """Return the port to listen on: the one that was asked for, else 3000, else 0 for any that is free."""
    if given is not None:
        return given
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 3000))
        except OSError:
            return 0
    return 3000


def _text(cloud: LocalCloud, for_lambda: Artifact, measured: Measured) -> str:
    size_kb = for_lambda.size_bytes / 1000
    return f"""\
POST {cloud.url}{ROUTE}
     {BODY}
{measured.status}  {measured.body}

artifact    {size_kb:.1f} KB zipped, for {for_lambda.target}
cold start  {measured.first_ms:.0f} ms, from no process to the answer
warm        {measured.warm_ms:.2f} ms, the median of {measured.requests} requests"""


def _document(cloud: LocalCloud, for_lambda: Artifact, measured: Measured) -> dict[str, Any]:
    import json

    return {
        "url": cloud.url + ROUTE,
        "request": json.loads(BODY),
        "status": measured.status,
        "answer": json.loads(measured.body),
        "artifact_bytes": for_lambda.size_bytes,
        "artifact_target": str(for_lambda.target),
        "cold_start_ms": round(measured.first_ms, 1),
        "warm_ms": round(measured.warm_ms, 2),
        "requests": measured.requests,
    }
