"""`bareboat event sqs`: messages of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, pairs, sample_options
from bareboat.errors import ConfigurationError

if TYPE_CHECKING:
    from bareboat.local.events.delivery import Message
    from bareboat.service.model import Function, Service


@click.command(cls=Command)
@click.option("--body", "bodies", multiple=True, metavar="TEXT", help="One message; may be repeated.")
@click.option("--queue", metavar="NAME", help="The queue.  [default: the function's, else queue]")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=TEXT", help="A message attribute.")
@click.option("--group", metavar="NAME", default="", help="The message group, of a queue NAME.fifo.")
@sample_options
def sqs(sample: Sample, bodies: tuple[str, ...], queue: str | None, attributes: tuple[str, ...], group: str) -> None:
    """Messages of a queue, as one event, or sent in batches of the function's batchSize.

    With --send each message is told to be done, or to go back to the queue; the exit code is then 1.
    """
    from bareboat.local.events import samples

    function = sample.function("sqs")
    source = _source(function)
    name = queue or (source.name if source else "queue")
    if group and not name.endswith(".fifo"):
        raise ConfigurationError(
            f"--group is given and the queue is {name}", expected="a queue NAME.fifo", fix="--queue NAME.fifo"
        )
    event = sample.document(
        lambda: samples.sqs(
            bodies or (_sample_body(sample.service(), function),),
            sample.origin(),
            queue=name,
            attributes=dict(pairs(attributes, "--attribute", "=")),
            group=group,
        )
    )
    if not sample.send or function is None:
        sample.finish(event, function)
        return
    _deliver(sample, event, function, source)


def _sample_body(service: Service | None, function: Function | None) -> str:
    """Return the body of the first sample of a model function, or some JSON."""
    if service is not None and function is not None and function.serves_models:
        import json

        from bareboat.artifact.proof.events import sample_events

        for sample in sample_events(service, function):
            document = json.loads(sample.event or "null")
            body = document.get("body", document) if isinstance(document, dict) else document
            return body if isinstance(body, str) else json.dumps(body)
    return '{"sample": true}'


def _source(function: Function | None) -> Any:
    from bareboat.service.triggers import SourceEvent

    events = function.events if function is not None else ()
    return next((event for event in events if isinstance(event, SourceEvent) and event.kind == "sqs"), None)


def _deliver(sample: Sample, event: Any, function: Function, source: Any) -> None:
    from bareboat.local.events.delivery import batches, check_messages, outcome

    check_messages(event)
    reports = function.serves_models or bool(source and source.reports_failures)
    messages: list[Message] = []
    for number, batch in enumerate(batches(event, source.batch_size if source else 10), 1):
        answer = sample.sent(batch, function)
        messages += outcome(batch, answer, number, reports=reports)
    terminal = sample.terminal
    if terminal.as_json:
        rows = [
            {"message": each.message_id, "batch": each.batch, "request_id": each.request_id, "failed": each.why or None}
            for each in messages
        ]
        terminal.document({"function": function.name, "messages": rows})
    else:
        shown = [
            (each.batch, each.message_id, _short(each.body), "back to the queue" if each.why else "done", each.why)
            for each in messages
        ]
        terminal.table(["batch", "message", "body", "outcome", "why"], shown)
    if any(each.why for each in messages):
        raise SystemExit(1)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
