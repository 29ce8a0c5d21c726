"""`bareboat serve`: the service behind the local cloud, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bareboat.cli.cloud import Lines, build_for_here, end_asked
from bareboat.cli.group import Command
from bareboat.cli.options import Source, port_option, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.local.cloud import LocalCloud
    from bareboat.service.model import Slim


@click.command(cls=Command)
@port_option(3000, "The port; 0 takes a free one.")
@click.option(
    "-H",
    "--host",
    default="127.0.0.1",
    envvar="BAREBOAT_HOST",
    show_default=True,
    metavar="ADDRESS",
    help="The address; any but loopback lets the network in.",
)
@slim_option
@service_options
@click.pass_obj
def serve(terminal: Terminal, source: Source, port: int, host: str, slim: Slim | None) -> None:
    """Serve the HTTP API on this machine, as on AWS.

    One line a request and the functions' logs go to stderr. Ctrl-C ends it. `offline` is another name for it.
    """
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.loop import run
    from bareboat.local.observe import Store, observed_path

    service = slimmed(source.load(terminal), slim)
    terminal.notes(service.notes)
    artifacts = build_for_here(terminal, service)
    lines = Lines(terminal)
    cloud = LocalCloud(service, artifacts, host=host, port=port, on_log=lines.log, on_request=lines.request)
    store = Store(observed_path(service.folder), on_note=terminal.warning)
    cloud.observe(on_log=store.invocation, on_request=store.request, on_reload=store.reload)
    try:
        run(_serve(terminal, cloud))
    finally:
        store.close()
        lines.flush()


async def _serve(terminal: Terminal, cloud: LocalCloud) -> None:
    async with cloud:
        ended = end_asked()
        _announce(terminal, cloud)
        try:
            await ended.wait()
        finally:  # Ctrl-C cancels
            terminal.say("ending: requests under way have ten seconds; Ctrl-C again ends at once")


def _announce(terminal: Terminal, cloud: LocalCloud) -> None:
    routes = [{"route": route.key, "function": route.function} for route in cloud.routes]
    if terminal.as_json:
        terminal.document({"url": cloud.url, "routes": routes})
    else:
        terminal.write(cloud.url)
        if routes:
            terminal.table(("route", "function"), [(route["route"], route["function"]) for route in routes])
    if not routes:
        terminal.warning("no function has an httpApi event, so that every request is answered with 404")
    if cloud.is_open_to_the_network:
        terminal.warning("others on the network can call the functions: the address is not loopback")
    terminal.say("Ctrl-C ends it.")
