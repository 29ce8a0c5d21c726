"""`bareboat info`: what is deployed, and where it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.moments import clock_time, utc_time
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.deployed import LiveRoute
    from bareboat.aws.info import FunctionState, Info

_OPEN = "NONE"


@click.command(cls=Command)
@click.option("--show-keys", is_flag=True, help="The values of API keys, too. Whoever has one can call.")
@service_options
@click.pass_obj
def info(terminal: Terminal, source: Source, show_keys: bool) -> None:
    """Show what is deployed, and where it answers.

    Endpoints, functions with their versions, layers, API keys, the last deployment: all of it is read from AWS.
    """
    from bareboat.aws.bucket import is_bucket_alone
    from bareboat.aws.deployed import find_deployed
    from bareboat.aws.info import read_info
    from bareboat.cli.aws import connected

    service, aws = connected(terminal, source, account=False)
    with terminal.progress("Asking AWS"):
        deployed = find_deployed(aws, service)
        found = read_info(aws, deployed, key_values=show_keys)
    if terminal.as_json:
        terminal.document(_document(found))
        return
    _tell(terminal, found)
    _warn(terminal, found)
    if is_bucket_alone(deployed.template):
        terminal.say(f"{found.stack} has its bucket alone: no deployment of it has ended well yet")
        terminal.next(f"bareboat deploy{source.flags}")
        return
    terminal.next(f"bareboat smoke{source.flags}", f"bareboat logs --follow{source.flags}")


def _tell(terminal: Terminal, found: Info) -> None:
    lines = [
        f"service   {found.service}",
        f"stage     {found.stage}",
        f"region    {found.region}",
        f"account   {found.account}",
        f"stack     {found.stack}  {found.status}",
        f"deployed  {clock_time(found.deployed.timestamp())[:19]}{_by(found)}",
    ]
    lines += [f"domain    {address}" for address in found.domains]
    terminal.write("\n".join(lines))
    if found.routes:
        terminal.write("")
        terminal.table(
            ("method", "endpoint", "function", "access"),
            [(_method(one), one.url, one.function or "-", _access(one)) for one in found.routes],
            whole="endpoint",
        )
    if found.functions:
        terminal.write("")
        terminal.table(
            ("function", "on AWS", "version", "size_mb", "runtime", "memory_mb", "timeout_s", "layers", "state"),
            [
                (one.name, one.full_name, _version(one), _size(one.size_bytes), _runtime(one), one.memory_mb,
                 one.timeout_s, len(one.layers), _state(one))
                for one in found.functions
            ],
        )  # fmt: skip
    if found.layers:
        terminal.write("")
        terminal.table(
            ("layer", "size_mb", "from"),
            [(one.arn, _size(one.size_bytes), "this stack" if one.own else "elsewhere") for one in found.layers],
        )
    if found.keys:
        terminal.write("")
        has_values = any(one.value for one in found.keys)
        terminal.table(
            ("api key", "id", "enabled", *(("value",) if has_values else ())),
            [
                (one.name or "(no name)", one.id, "yes" if one.enabled else "no", *((one.value,) if has_values else ()))
                for one in found.keys
            ],
        )


def _warn(terminal: Terminal, found: Info) -> None:
    for one in found.missing:
        terminal.warning(f"{one.name}: the stack has {one.full_name}, and Lambda has not: somebody deleted it")
    for state in found.functions:
        if state.update == "Failed" or state.state == "Failed":
            terminal.warning(f"{state.name}: {state.reason or 'its last change failed'}")
        if state.version and not state.is_published:
            terminal.note(f"{state.name}: its code is newer than version {state.version}; bareboat deploy mends that")
    if found.status.endswith(("_FAILED", "ROLLBACK_COMPLETE")) and found.status != "UPDATE_ROLLBACK_COMPLETE":
        terminal.warning(f"the stack is {found.status}: bareboat deploy says what can be done")


def _by(found: Info) -> str:
    record = found.record
    if record is None:
        return ""
    commit = f", commit {record.commit[:12]}{' with changes' if record.dirty else ''}" if record.commit else ""
    restored = f", which restores {record.restores}" if record.restores is not None else ""
    return f", version {record.number}{restored} by {record.by.rpartition(':')[2]}{commit}"


def _method(route: LiveRoute) -> str:
    return "ANY" if route.key == "$default" else route.method


def _access(route: LiveRoute) -> str:
    words = [] if route.auth == _OPEN else [route.auth]
    words += ["API key"] if route.needs_key else []
    return ", ".join(words) or "open"


def _version(one: FunctionState) -> str:
    aliases = "; ".join(f"{name}: {versions}" for name, versions in one.aliases.items())
    version = one.version or "$LATEST"
    return f"{version} ({aliases})" if aliases else version


def _runtime(one: FunctionState) -> str:
    return f"{one.runtime or 'image'} {one.architecture}"


def _state(one: FunctionState) -> str:
    return one.state if one.update == "Successful" else f"{one.state}, update {one.update}"


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / 1e6:.3f}"


def _document(found: Info) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(found)
    document["deployed"] = utc_time(found.deployed.timestamp())
    if found.record is not None:
        del document["record"]["token"]  # of the run that deployed, which is over
    document["routes"] = [msgspec.to_builtins(one) | {"url": one.url} for one in found.routes]
    document["endpoints"] = [one.url for one in found.routes]
    document["keys"] = [
        {key: value for key, value in msgspec.to_builtins(one).items() if key != "value" or value} for one in found.keys
    ]
    return document
