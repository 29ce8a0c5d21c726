"""Messages of a queue, a topic or an event bus -> predictions, each in a line of the log; which messages failed.

Imported when the first such event comes: requests cost nothing for it.
"""

from __future__ import annotations

import time
from json import JSONEncoder, dumps
from json.encoder import encode_basestring_ascii as _quote

from bareboat.errors import InputError, RemoteError
from bareboat.runtime.document import JSON, parse, refuse_repeated
from bareboat.runtime.faults import cut, describe, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from bareboat.runtime.function import ModelFunction
    from bareboat.runtime.models import LoadedModel

_ENCODE = JSONEncoder(allow_nan=False).encode
_LINE = 200_000  # characters: CloudWatch Logs took 256 KB of a line for long
_FIELDS = 10  # wrong fields of a message that are named
_MARGIN_MS = 300  # what is left of the function's time when no further message is begun


class _Waiting(Exception):  # noqa: N818  no error
    """A message goes back with no fault of its own."""


class Message:
    """One message on its way.

    Attributes:
        id: what its source calls it.
        text: its body; None where the document is there already.
        record: as it came, for an `after` function that asks for it.
        place: in its batch, from 0.
        group: of a FIFO queue, whose order is kept; None for none.
        outside: features whose values were outside their bounds -> how many values.
        error: why it failed.
    """

    __slots__ = ("are_many", "document", "error", "group", "id", "model", "outside", "place", "record", "rows", "text")

    def __init__(
        self, message_id: str, text: object, record: Mapping[str, Any], place: int = 0, group: str | None = None
    ) -> None:
        self.id = message_id
        self.text = text
        self.record = record
        self.place = place
        self.group = group
        self.document: Any = None
        self.model: LoadedModel | None = None
        self.rows: list[Any] = []
        self.are_many = False
        self.outside: dict[str, int] = {}
        self.error: Exception | None = None


def source_of(function: ModelFunction, event: Mapping[str, Any]) -> Callable[..., Any] | None:
    """Return what answers an event of a queue, a topic or a bus; None for a row that merely has such names."""
    records = event.get("Records")
    if isinstance(records, list) and records and all(isinstance(each, dict) for each in records):
        if records[0].get("eventSource") == "aws:sqs":
            return queue
        if records[0].get("EventSource") == "aws:sns":
            return topic
    if isinstance(event.get("detail-type"), str) and isinstance(event.get("source"), str) and "detail" in event:
        models = function.models
        if function.several or not models.get(models.default).signature.knows("detail-type"):
            return bus
    return None


def queue(function: ModelFunction, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch of SQS, and tell which messages go back.

    A message that cannot be answered goes back alone; of a FIFO queue, with what follows it in its group. So does what
    there is no time for. When it is the function that fails, and with every message, it raises, so that Lambda
    counts an error and slows down.

    Returns:
        `{"batchItemFailures": [{"itemIdentifier": ...}, ...]}`.
    Source:
        AWS Lambda developer guide, "Implementing partial batch responses".
    """
    messages = []
    for place, record in enumerate(event["Records"]):
        said = record.get("messageId")
        if not isinstance(said, str):
            raise fault(f"Records[{place}].messageId", describe(said), "a text")
        group = None
        if str(record.get("eventSourceARN", "")).endswith(".fifo"):
            attributes = record.get("attributes")
            group = str(attributes.get("MessageGroupId", "")) if isinstance(attributes, dict) else ""
        messages.append(Message(said, _within(record.get("body")), record, place, group))
    failed = _answered(function, messages, context)[1]
    errors = [each.error for each in failed if each.error is not None and not isinstance(each.error, _Waiting)]
    if len(failed) == len(messages) and errors and not any(isinstance(each, InputError) for each in errors):
        raise errors[0].with_traceback(None) from None
    return {"batchItemFailures": [{"itemIdentifier": each.id} for each in failed]}


def topic(function: ModelFunction, event: Mapping[str, Any], context: Any) -> Any:
    """Answer the notification of SNS; its answer goes to the function's destination, where it has one.

    Raises:
        Exception: why it cannot be answered. Lambda tries again, then gives it to the destination of failures.
    """
    messages = []
    for record in event["Records"]:
        sns = record.get("Sns")
        said: Mapping[str, Any] = sns if isinstance(sns, dict) else {}
        messages.append(Message(str(said.get("MessageId", "")), said.get("Message"), record))
    return _all_or_none(function, messages, context)


def bus(function: ModelFunction, event: Mapping[str, Any], context: Any) -> Any:
    """Answer the `detail` of an event of EventBridge, as `topic` does a notification."""
    message = Message(str(event.get("id", "")), None, event)
    message.document = event["detail"]
    return _all_or_none(function, [message], context)


def _all_or_none(function: ModelFunction, messages: list[Message], context: Any) -> Any:
    answers, failed = _answered(function, messages, context)
    for each in failed:
        assert each.error is not None
        raise each.error.with_traceback(None) from None
    return answers[0] if len(answers) == 1 else answers


def _answered(function: ModelFunction, messages: list[Message], context: Any) -> tuple[list[Any], list[Message]]:
    """Return the answers of messages, and those that have none, in order."""
    batch = _Batch(function, context)
    if function.protocol is not None and not function.protocol.__name__.endswith(".several"):
        batch.speak(messages)
    else:
        for message in messages:
            batch.read(message)
        for some in _chunks([each for each in messages if each.error is None]):
            batch.predict(some)
    return batch.answers, [each for each in messages if each.error is not None]


def _chunks(messages: list[Message]) -> list[list[Message]]:
    """Part messages into runs for one model, of as many rows as one request may have, or of one message."""
    chunks: list[list[Message]] = []
    count = 0
    for each in messages:
        assert each.model is not None
        count += len(each.rows)
        if chunks and chunks[-1][0].model is each.model and count <= each.model.signature.max_rows:
            chunks[-1].append(each)
        else:
            chunks.append([each])
            count = len(each.rows)
    return chunks


class _Batch:
    """The messages of one event while they are answered."""

    __slots__ = ("_blocked", "_context", "_function", "_started", "_traced", "_with_record", "answers")

    def __init__(self, function: ModelFunction, context: Any) -> None:
        self.answers: list[Any] = []
        self._function = function
        self._context = context
        self._started = time.perf_counter()
        self._blocked: dict[str, int] = {}
        self._traced: set[str] = set()
        self._with_record = _takes_record(function.after)

    def read(self, message: Message) -> None:
        """Make rows of a message's document, as of that of a request."""
        function = self._function
        self._started = time.perf_counter()
        try:
            document, are_many = self._document(message), False
            if function.several:
                from bareboat.runtime.protocols.several import addressed

                message.model, document, are_many = addressed(function, document)
            else:
                message.model = function.models.get(function.models.default)
            if function.before is not None:
                refuse_repeated(document)
                document = function.before({"instances": document} if are_many else document)
                are_many = False
                if not isinstance(document, (dict, list, tuple)):
                    raise TypeError(f"before returned {type(document).__name__}, expected a dict or a list")
            if are_many:
                message.rows = message.model.signature.read_rows(document, outside=message.outside)
                message.are_many = True
            else:
                message.rows, message.are_many = message.model.signature.read(document, outside=message.outside)
        except Exception as error:  # noqa: BLE001  the message's own failure: logged, and told to the queue
            self._failed(message, error)

    def predict(self, messages: Sequence[Message]) -> None:
        """Answer messages for one model at once; one by one when that fails, so that each has its own failure."""
        model = messages[0].model
        assert model is not None
        self._started = time.perf_counter()
        try:
            answered = self._function.predict(model, [row for each in messages for row in each.rows])
        except Exception as error:  # noqa: BLE001  as above
            if len(messages) == 1:
                self._failed(messages[0], error)
                return
            for each in messages:
                self.predict([each])
            return
        start = 0
        for each in messages:
            stop = start + len(each.rows)
            self._finish(each, model, answered[start:stop])
            start = stop

    def _finish(self, message: Message, model: LoadedModel, answered: Sequence[Any]) -> None:
        if self._is_blocked(message):
            return
        after: Any = self._function.after
        try:
            answer = model.answers.document(answered, are_many=message.are_many)
            if after is not None:
                answer = after(answer, message.record) if self._with_record else after(answer)
            lines = self._lines(answer, model, answered, message)
        except Exception as error:  # noqa: BLE001  as above
            self._failed(message, error)
            return
        self.answers.append(answer)
        outside = sum(message.outside.values())
        found = f', "outsideBounds": {outside}' if outside else ""
        for line in lines:
            self._log("INFO", message, 200, f', "rows": {len(message.rows)}{found}{line}')

    def _lines(self, answer: Any, model: LoadedModel, answered: Sequence[Any], message: Message) -> list[str]:
        """Return what the log says of an answer; many rows that are too long for a line are parted."""
        if answer is None:
            return [""]  # an `after` function has taken it
        text = _ENCODE(answer)
        if len(text) <= _LINE or not message.are_many or self._function.after is not None:
            return [f', "prediction": {text}']
        step = max(1, len(answered) * _LINE // len(text))
        return [
            f', "firstRow": {at}, "prediction": {model.answers.text(answered[at : at + step], are_many=True)}'
            for at in range(0, len(answered), step)
        ]

    def speak(self, messages: Sequence[Message]) -> None:
        """Answer messages one by one by the function's protocol, as the bodies of POST requests."""
        from bareboat.runtime.protocols.request import Request

        function = self._function
        for message in messages:
            if self._is_blocked(message):
                continue
            self._started = time.perf_counter()
            try:
                text = dumps(message.document) if message.text is None else _text(message)
                reply = function.protocol.answer(function, Request({"body": text}))
                body = reply.body
                is_json = isinstance(body, str) and "json" in reply.content_type
                answer = parse(body) if is_json else body if isinstance(body, str) else body.decode("latin-1")
            except Exception as error:  # noqa: BLE001  as above
                self._failed(message, error)
                continue
            self.answers.append(answer)
            self._log("INFO", message, 200, f', "rows": {reply.n_rows}, "prediction": {_ENCODE(answer)}')

    def _document(self, message: Message) -> object:
        return message.document if message.text is None and message.document is not None else parse(_text(message))

    def _is_blocked(self, message: Message) -> bool:
        """Tell whether a message must wait: for one before it in its group, or for want of time."""
        if message.group is not None and self._blocked.get(message.group, message.place) < message.place:
            why = "a message before it in its group failed"
        elif self._is_late():
            why = "there is no time left for it"
            self._block(message)
        else:
            return False
        message.error = _Waiting(why)
        self._log("WARNING", message, 503, f', "reason": "{why}: it goes back to the queue"')
        return True

    def _block(self, message: Message) -> None:
        """Let what follows a message in its group wait for it."""
        if message.group is not None:
            self._blocked[message.group] = min(message.place, self._blocked.get(message.group, message.place))

    def _is_late(self) -> bool:
        left: Callable[[], int] | None = getattr(self._context, "get_remaining_time_in_millis", None)
        return left is not None and left() < _MARGIN_MS

    def _failed(self, message: Message, error: Exception) -> None:
        """Remember and log why a message failed: fields and what they should be, but none of its values."""
        message.error = error
        self._block(message)
        if not isinstance(error, InputError):
            self._log_own(message, error)
            return
        fields = [{"field": each.where, "expected": each.expected} for each in error.problems if each.where]
        if fields:
            found = f', "errors": {len(fields)}, "fields": {dumps(fields[:_FIELDS])}'
        else:  # the text of a `before` function
            found = f', "reason": {_quote(cut(str(error.args[0]) if error.args else "it was refused", 1000))}'
        self._log("WARNING", message, getattr(error, "status", 400), found)

    def _log_own(self, message: Message, error: Exception) -> None:
        """Log what is no fault of the message's; the stack of each kind of error once."""
        from traceback import format_exception

        kind = type(error).__name__
        found = f', "errorType": {_quote(kind)}'
        if kind not in self._traced:
            self._traced.add(kind)
            trace = "".join(format_exception(type(error), error, error.__traceback__))
            found += f', "stackTrace": {dumps(cut(trace, 32_000).splitlines())}'
        self._log("ERROR", message, 503 if isinstance(error, RemoteError) else 500, found)

    def _log(self, level: str, message: Message, status: int, rest: str) -> None:
        said = f', "messageId": {_quote(message.id)}{rest}'
        self._function.log(level, self._context, self._started, status, said)


def _within(body: Any) -> Any:
    """Return the message that a topic wrapped before it wrote it into the queue, or else the body."""
    if isinstance(body, str) and '"TopicArn"' in body and '"Notification"' in body:
        try:
            document = parse(body)
        except InputError:
            return body
        if isinstance(document, dict) and document.get("Type") == "Notification" and "TopicArn" in document:
            return document.get("Message", body)
    return body


def _text(message: Message) -> str:
    if not isinstance(message.text, str):
        raise fault("body", describe(message.text), "the text of a JSON document")
    if not message.text:
        raise fault("body", "nothing", JSON)
    return message.text


def _takes_record(after: Any) -> bool:
    """Tell whether an `after` function has a second parameter, which gets the message."""
    code = getattr(getattr(after, "__func__", after), "__code__", None)
    if code is None:
        return False
    bound = 1 if hasattr(after, "__self__") else 0
    return bool(code.co_argcount - bound >= 2)
