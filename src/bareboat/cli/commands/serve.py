"""`bareboat serve`: the service behind the local cloud, until Ctrl-C."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bareboat.cli.cloud import Lines, Rebuilds, build_for_here, end_asked
from bareboat.cli.group import Command
from bareboat.cli.options import Port, Source, port_option, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bareboat.local.cloud import LocalCloud
    from bareboat.local.reload_record import Reload
    from bareboat.service.model import Service, Slim


@dataclass(frozen=True, slots=True)
class Wish:
    """What the flags ask of a running cloud."""

    source: Source
    slim: Slim | None
    reloads: bool
    schedules: bool

    def load(self, terminal: Terminal) -> Service:
        """Read the service; raises as `Source.load`."""
        return slimmed(self.source.load(terminal), self.slim)


@click.command(cls=Command)
@port_option(3000, "The HTTP API's port, or the REST API's where it is alone; 0 takes free ones for all.")
@click.option("--rest-port", type=Port(), metavar="N", help="The REST API's port beside an HTTP API.  [default: +1]")
@click.option("--lambda-port", type=Port(), metavar="N", help="The Lambda API's port.  [default: +2]")
@click.option("--console-port", type=Port(), metavar="N", help="The console's port.  [default: +3]")
@click.option(
    "-H",
    "--host",
    default="127.0.0.1",
    envvar="BAREBOAT_HOST",
    show_default=True,
    metavar="ADDRESS",
    help="The address of APIs and function URLs; any but loopback lets the network in.",
)
@click.option("--console/--no-console", default=True, help="Whether there is a console.  [default: yes]")
@click.option("--reload/--no-reload", default=True, help="Whether changes of the project take effect.  [default: yes]")
@click.option("--freeze/--no-freeze", default=True, help="Whether idle processes are stopped.  [default: yes]")
@click.option("--schedules", is_flag=True, help="Call functions by the clock, as their schedules say.")
@slim_option
@service_options
@click.pass_obj
def serve(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    port: int,
    rest_port: int | None,
    lambda_port: int | None,
    console_port: int | None,
    host: str,
    console: bool,
    reload: bool,
    freeze: bool,
    schedules: bool,
    slim: Slim | None,
) -> None:
    """Serve the functions on this machine, as on AWS.

    The HTTP API, the REST API, function URLs and the Lambda API have a port each. One line a request and the functions'
    logs go to stderr. Changes of the project take effect on the next request. Ctrl-C ends it. `offline` is another name
    for it.
    """
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.loop import run

    wish = Wish(source, slim, reload, schedules)
    service = wish.load(terminal)
    terminal.notes(service.notes)
    artifacts = build_for_here(terminal, service)
    lines = Lines(terminal)
    cloud = LocalCloud(
        service,
        artifacts,
        host=host,
        port=port,
        rest_port=rest_port,
        lambda_port=lambda_port,
        console_port=console_port,
        console=console,
        freeze=freeze,
        on_log=lines.log,
        on_request=lines.request,
    )
    try:
        with _observed(terminal, cloud):
            run(_serve(terminal, cloud, wish))
    finally:
        lines.flush()


async def _serve(terminal: Terminal, cloud: LocalCloud, wish: Wish) -> None:
    from bareboat.local.http import GRACE_S
    from bareboat.local.loop import settle

    async with cloud, _reloading(terminal, cloud, wish):
        ended = end_asked()
        settle()
        with _announced(terminal, cloud):
            _schedule(terminal, cloud, wish)
            try:
                await ended.wait()
            finally:  # Ctrl-C cancels
                terminal.say(f"ending: requests under way have {GRACE_S:g} seconds; Ctrl-C again ends at once")


@contextlib.contextmanager
def _observed(terminal: Terminal, cloud: LocalCloud) -> Iterator[None]:
    """Keep what happens in `.bareboat/observed.sqlite`."""
    from bareboat.local.observe import Store, mask_of, observed_path

    store = Store(observed_path(cloud.service.folder), on_note=terminal.warning, mask=mask_of(cloud.service))

    def reloaded(reload: Reload) -> None:
        store.mask = mask_of(cloud.service)
        store.reload(reload)

    cloud.observe(on_log=store.invocation, on_request=store.request, on_reload=reloaded)
    try:
        yield
    finally:
        store.close()


@contextlib.contextmanager
def _announced(terminal: Terminal, cloud: LocalCloud) -> Iterator[None]:
    """Show where everything is, and let other commands find it in `.bareboat/serve.json`."""
    from bareboat.cli.doors import document_of, show_doors, show_notes
    from bareboat.local.serving import remove_serving, write_serving

    service = cloud.service
    before = write_serving(service.folder, service.name, service.provider.stage, cloud.urls)
    try:
        if terminal.as_json:
            terminal.document(document_of(cloud))
        else:
            show_doors(terminal, cloud)
        show_notes(terminal, cloud)
        if before is not None:
            where = next(iter(before.urls.values()), "")
            terminal.note(
                f"another bareboat serve (process {before.pid}, {where}) serves this folder too; "
                "bareboat event and token use this one until it ends"
            )
        terminal.say("Ctrl-C ends it.")
        yield
    finally:
        remove_serving(service.folder, before)


@contextlib.asynccontextmanager
async def _reloading(terminal: Terminal, cloud: LocalCloud, wish: Wish) -> AsyncIterator[None]:
    """Let changes of the project take effect."""
    if not wish.reloads:
        yield
        return
    import asyncio

    from bareboat.local.reload.reloader import Reloader

    rebuilds = Rebuilds(terminal)
    rebuilds.know(cloud.service.notes)
    cloud.observe(on_reload=rebuilds.told)
    reloader = Reloader(cloud, lambda: wish.load(terminal), rebuilds.build, on_note=terminal.say)
    task = asyncio.ensure_future(reloader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _schedule(terminal: Terminal, cloud: LocalCloud, wish: Wish) -> None:
    """Call functions by the clock, or say how they are called: a job for production must not run by surprise."""
    from bareboat.service.triggers import ScheduleEvent, SourceEvent

    events = [event for function in cloud.service.functions.values() for event in function.events]
    if not wish.schedules and not any(isinstance(event, ScheduleEvent | SourceEvent) for event in events):
        return
    from bareboat.local.events.scheduler import Scheduler, jobs_of
    from bareboat.local.lambda_api import events_of

    if not wish.schedules:
        count = sum(job.enabled for job in jobs_of(cloud.service))
        if count:
            terminal.say(
                f"{count} schedule{'s are' if count > 1 else ' is'} not fired: --schedules fires them by the clock, "
                "bareboat event schedule --send -f NAME at once"
            )
        return
    queue = events_of(cloud)
    scheduler = Scheduler(
        cloud.service, lambda name, event: queue.put(cloud.service.functions[name], event, source="schedule")
    )
    cloud.kept["schedules"] = scheduler
    cloud.observe(on_reload=lambda _: scheduler.reload(cloud.service))
    scheduler.start()
