"""Events -> functions of a running `bareboat serve`, with the rules of a queue."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import urllib3

from bareboat.errors import ConfigurationError, LocalError

TIMEOUT_S = 905.0  # the longest a function may run, and a little


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one invocation.

    Args:
        error: "" when the handler returned; FunctionError otherwise.
        log: the last 4 KB that it wrote.
    """

    request_id: str
    payload: bytes
    error: str
    log: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue after its batch: `why` it goes back, or "" when it is done."""

    message_id: str
    body: str
    batch: int
    request_id: str
    why: str = ""


def send(url: str, function: str, event: bytes) -> Answer:
    """Call a function by the Invoke API of a running local cloud.

    Args:
        url: of its `lambda` door.
        event: JSON.
    Raises:
        LocalError: nothing answers there, or it refuses.
    """
    address = f"{url}/2015-03-31/functions/{function}/invocations"
    headers = {
        "X-Amz-Invocation-Type": "RequestResponse",
        "X-Amz-Log-Type": "Tail",
        "X-Bareboat-Source": source_of(event),
    }
    timeout = urllib3.Timeout(connect=5.0, read=TIMEOUT_S)
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            answer = pool.request("POST", address, body=event, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise LocalError(
            f"nothing answers at {url}", expected="a running bareboat serve", fix="bareboat serve"
        ) from error
    if answer.status != 200:
        raise LocalError(f"{function} was refused with {answer.status}: {_said(answer.data)}", where=address)
    log = b64decode(answer.headers.get("x-amz-log-result", "")).decode("utf-8", "replace")
    error_kind = answer.headers.get("x-amz-function-error", "")
    return Answer(answer.headers.get("x-amzn-requestid", ""), answer.data, error_kind, log)


def source_of(event: bytes) -> str:
    """Return what an event comes from, as `Invocation.source` has it: "sqs", "sns", "s3", ...; "invoke" for others."""
    try:
        document = json.loads(event)
    except ValueError:
        return "invoke"
    if not isinstance(document, dict):
        return "invoke"
    records = document.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        first = records[0]
        named = str(first.get("eventSource") or first.get("EventSource") or "").removeprefix("aws:")
        return named if named in {"sqs", "sns", "s3"} else "invoke"
    if "detail-type" in document:
        return "schedule" if document["detail-type"] == "Scheduled Event" else "eventBridge"
    return "invoke"


def _said(body: bytes) -> str:
    try:
        document = json.loads(body)
        return str(document.get("message") or document.get("Message") or document)
    except (ValueError, AttributeError):
        return body[:200].decode("utf-8", "replace")


def check_messages(event: Any) -> None:
    """Refuse what is no event of a queue.

    Raises:
        ConfigurationError: it has no Records, or one of them is no message with `messageId` and `body`.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        found = "no Records" if records is None else "an empty Records" if records == [] else "Records that are no list"
        raise ConfigurationError(f"the event has {found}", expected="messages, as bareboat event sqs prints them")
    for number, record in enumerate(records):
        where = f"Records[{number}]"
        if not isinstance(record, dict):
            found = json.dumps(record)
            raise ConfigurationError(f"{where} is {found:.40}", expected="a message: an object with messageId and body")
        for key in ("messageId", "body"):
            if not isinstance(record.get(key), str):
                found = f"{where}.{key} is {json.dumps(record[key]):.40}" if key in record else f"{where} has no {key}"
                raise ConfigurationError(found, expected="a text")


def batches(event: dict[str, Any], size: int) -> list[dict[str, Any]]:
    """Return a queue's event as batches of at most `size` messages."""
    records = event["Records"]
    return [{"Records": records[start : start + size]} for start in range(0, len(records), size)]


def outcome(batch: dict[str, Any], answer: Answer, number: int, *, reports: bool) -> list[Message]:
    """Return what becomes of each message of a batch.

    Args:
        number: of the batch, from 1.
        reports: whether the function names the messages that failed (`ReportBatchItemFailures`).
    Source:
        AWS Lambda developer guide, "Implementing partial batch responses": an empty or missing list is success; an
        answer that is no JSON object, an empty or unknown identifier, or another key fails the whole batch.
    """
    failed: Sequence[str] = ()
    why = ""
    if answer.error:
        why = f"the function failed ({answer.error})"
    elif reports:
        failed, why = _reported(answer.payload, [record["messageId"] for record in batch["Records"]])
    return [
        Message(
            record["messageId"],
            record["body"],
            number,
            answer.request_id,
            why or ("the function reported it" if record["messageId"] in failed else ""),
        )
        for record in batch["Records"]
    ]


def _reported(payload: bytes, ids: list[str]) -> tuple[list[str], str]:
    """Return the ids of the messages that failed, or why all of them did."""
    try:
        document = json.loads(payload)
    except ValueError:
        return [], "the answer is no JSON"
    if document is None or document == {}:
        return [], ""
    if not isinstance(document, dict):
        return [], "the answer is no object with batchItemFailures"
    items = document.get("batchItemFailures")
    if items is None:
        return [], "" if "batchItemFailures" in document else "the answer has no batchItemFailures"
    if not isinstance(items, list):
        return [], "batchItemFailures is no list"
    failed = []
    for item in items:
        said = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(said, str) or said not in ids:
            return [], f"the answer names the message {json.dumps(said)}, which is not in the batch"
        failed.append(said)
    return failed, ""
