"""What the commands of `bareboat event` share: their options, and what becomes of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bareboat.cli.event import read_event
from bareboat.cli.functions import chosen, function_option
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal
from bareboat.errors import ConfigurationError, LocalError

if TYPE_CHECKING:
    from bareboat.local.events.delivery import Answer
    from bareboat.local.events.origin import Origin
    from bareboat.local.events.requests import Asked
    from bareboat.service.model import Function, Service

F = TypeVar("F", bound=Callable[..., Any])


def sample_options(command: F) -> F:
    """Give a command `-f`, `--send`, `--from-file` and the options of a service, handed over as `sample`."""
    from functools import wraps

    @wraps(command)
    def called(
        terminal: Terminal,
        source: Source,
        *args: Any,
        name: str | None,
        send: bool,
        from_file: Path | None,
        **kwargs: Any,
    ) -> Any:
        for option, value in kwargs.items():
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str) and not is_text(text):
                    raise ConfigurationError(f"{_flag(option)} has a byte that is not UTF-8", expected="text")
        return command(Sample(terminal, source, name, from_file, send=send), *args, **kwargs)

    taker: Any = called
    decorated: Callable[..., Any] = service_options(click.pass_obj(taker))
    decorated = click.option(
        "--from-file", type=click.Path(path_type=Path), metavar="FILE", help="Take the event from a file; - is stdin."
    )(decorated)
    decorated = click.option("--send", is_flag=True, help="Send it to the running bareboat serve of this service.")(
        decorated
    )
    return function_option("The function that gets it.")(decorated)  # type: ignore[return-value]


class Sample:
    """One event on its way to stdout, or to a function."""

    def __init__(
        self, terminal: Terminal, source: Source, name: str | None, from_file: Path | None, *, send: bool
    ) -> None:
        self.terminal = terminal
        self.source = source
        self.name = name
        self.from_file = from_file
        self.send = send
        self._service: Service | None = None

    def service(self) -> Service | None:
        """Return the service, None where there is none here and none is needed.

        Raises:
            ConfigurationError: it cannot be read, or one is needed and there is none.
        """
        if self._service is None:
            folder = self.source.config or Path()
            names = ("serverless.yml", "serverless.yaml", "serverless.json")
            needed = self.send or self.name is not None or self.source.config is not None
            if needed or any((folder / name).is_file() for name in names):
                self._service = self.source.load(self.terminal)
        return self._service

    def origin(self) -> Origin:
        """Return where the event says that it comes from."""
        from bareboat.local.events.origin import Origin

        service = self.service()
        return Origin(service.provider.region if service is not None else self.source.region or "us-east-1")

    def function(self, kind: str = "") -> Function | None:
        """Return the function that is meant: the named one, else the only one that has such an event, else None.

        Args:
            kind: of the events, such as sqs; "" for any function.
        """
        service = self.service()
        if service is None:
            return None
        if self.name is not None:
            named = service.functions[chosen(service, self.name)]
            if kind and not _takes(named, kind):
                has = "url" if kind == "url" else f"{kind} event"
                self.terminal.note(f"{named.name} has no {has}: AWS never makes this event for it")
            return named
        fitting = [function for function in service.functions.values() if _takes(function, kind)]
        if len(fitting) == 1:
            return fitting[0]
        return service.functions[chosen(service, None)] if self.send else None

    def called(self, request: str, name: str) -> Function | None:
        """Return the function that a request calls; `-f` wins over its route.

        Args:
            request: its method and path, for a note where they do not fit.
            name: of the route's function; "" where no route takes the request.
        """
        service = self.service()
        if self.name is None and name and service is not None:
            return service.functions[name]
        function = self.function()
        if function is not None and name != function.name:
            who = f"{request} calls {name}" if name else f"no route takes {request}"
            self.terminal.note(f"{who}: the gateway never makes this event for {function.name}")
        return function

    def source_config(self, function: Function | None, kind: str) -> dict[str, Any]:
        """Return what a function says of its source of a kind, {} where it has none or says its name alone."""
        for event in function.events if function is not None else ():
            if _kind_of(event) == kind:
                config = getattr(event, "config", None)
                return dict(config) if isinstance(config, dict) else {}
        return {}

    def source_name(self, function: Function | None, kind: str) -> str:
        """Return the name of a function's source of a kind, "" where it has none."""
        events = function.events if function is not None else ()
        return next((str(getattr(event, "name", "")) for event in events if _kind_of(event) == kind), "")

    def document(self, make: Callable[[], Any]) -> Any:
        """Return the event of --from-file, else the one that is made."""
        if self.from_file is None:
            return make()
        return json.loads(read_event(None, None if str(self.from_file) == "-" else self.from_file, raw=False, fix=""))

    def url(self) -> str:
        """Return where the Invoke API of the running local cloud is.

        Raises:
            LocalError: no local cloud serves this service.
        """
        from bareboat.local.serving import read_serving

        service = self.service()
        assert service is not None, "what is sent has a service"
        serving = read_serving(service.folder)
        if serving is None or "lambda" not in serving.urls:
            raise LocalError(
                f"no bareboat serve is running for {service.name}",
                expected="one in another terminal",
                fix=f"bareboat serve{self.source.flags}",
            )
        return serving.urls["lambda"]

    def finish(self, event: Any, function: Function | None) -> None:
        """Print an event, or send it and show the answer."""
        if not self.send:
            self.show(event)
            return
        if function is None:
            raise ConfigurationError("no function gets this event", expected="-f NAME", fix="-f NAME")
        answer = self.sent(event, function)
        self.terminal.write_bytes(answer.payload)
        if answer.error:
            raise SystemExit(1)

    def show(self, event: Any) -> None:
        """Print an event as JSON."""
        if self.terminal.as_json:
            self.terminal.document(event)
        else:
            text = json.dumps(event, indent=2, ensure_ascii=False)
            self.terminal.write(text if is_text(text) else json.dumps(event, indent=2))

    def sent(self, event: Any, function: Function) -> Answer:
        """Send an event to a function and show its log."""
        from bareboat.local.events.delivery import send
        from bareboat.local.events.samples import compact

        payload = event if isinstance(event, bytes) else compact(event)
        answer = send(self.url(), function.name, payload)
        if answer.log:
            self.terminal.say(answer.log.rstrip("\n"))
        return answer


def _flag(option: str) -> str:
    """Return an option as it is typed."""
    params = click.get_current_context().command.params
    return next((param.opts[0] for param in params if param.name == option), option)


def is_text(text: str) -> bool:
    """Return whether a text can be written as UTF-8: what came as other bytes cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _takes(function: Function, kind: str) -> bool:
    return any(_kind_of(event) == kind for event in function.events) or (kind == "url" and function.url is not None)


def _kind_of(event: Any) -> str:
    from bareboat.service.triggers import HttpApiEvent, HttpEvent, ScheduleEvent

    kinds = {HttpApiEvent: "httpApi", HttpEvent: "http", ScheduleEvent: "schedule"}
    return kinds.get(type(event)) or str(getattr(event, "kind", ""))


def request_options(command: F) -> F:
    """Give a command the parts of a request: `--method`, `--path`, `--body`, `--header`, `--query`."""
    decorated: Callable[..., Any] = command
    for names, attributes in reversed(_REQUEST):
        decorated = click.option(*names, **attributes)(decorated)
    return decorated  # type: ignore[return-value]


_REQUEST: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--method",), {"metavar": "NAME", "help": "The method.  [default: GET, or POST with a body]"}),
    (("--path",), {"default": "/", "show_default": True, "metavar": "PATH", "help": "The path; a query may follow."}),
    (("--body",), {"metavar": "TEXT", "help": "The body."}),
    (("--header", "headers"), {"multiple": True, "metavar": "NAME:VALUE", "help": "A header; may be repeated."}),
    (("--query",), {"multiple": True, "metavar": "NAME=VALUE", "help": "A query parameter; may be repeated."}),
)


def asked_of(
    method: str | None, path: str, body: str | None, headers: tuple[str, ...], query: tuple[str, ...]
) -> Asked:
    """Return the request that the options describe."""
    from urllib.parse import parse_qsl

    from bareboat.local.events.requests import Asked

    path, _, inline = path.partition("?")
    return Asked(
        (method or ("GET" if body is None else "POST")).upper(),
        path if path.startswith("/") else f"/{path}",
        (*parse_qsl(inline, keep_blank_values=True), *pairs(query, "--query", "=")),
        pairs(headers, "--header", ":"),
        (body or "").encode(),
    )


def pairs(said: tuple[str, ...], flag: str, sign: str) -> tuple[tuple[str, str], ...]:
    """Read `NAME=VALUE` or `NAME: VALUE`, in order, names more than once.

    Raises:
        click.UsageError: one has no sign or no name.
    """
    found = []
    for each in said:
        name, mark, value = each.partition(sign)
        if not mark or not name.strip():
            raise click.UsageError(f"{flag} {each} is not NAME{sign}VALUE")
        found.append((name.strip(), value.strip() if sign == ":" else value))
    return tuple(found)
