"""What was deployed when, by whom: one record a deployment, in the deployment bucket.

`{folder}/deployments/000007/deployment.json` and `template.json`. A number is claimed with a conditional PUT, before
the change set is executed; the record is finished afterwards. One that a crash left pending is judged by the template
that the stack has.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

import msgspec

from bareboat import __version__
from bareboat.aws.bucket import Bucket
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.shipment import Shipment, ZipCode
from bareboat.errors import RemoteError
from bareboat.service.model import Service

Json = dict[str, Any]
State = Literal["pending", "done", "failed"]
Action = Literal["deploy", "rollback", "canary", "adopt", "serverless"]
_FOLDER = re.compile(r"deployments/(\d{6,})/deployment\.json\Z")
_CLASH = ("PreconditionFailed", "412")
_BUSY = ("ConditionalRequestConflict", "409")
_ABSENT = ("NoSuchKey", "404", "NoSuchBucket")
_NO_BUCKET = "NoSuchBucket"
_TRIES = 50  # of numbers that others claim at the same time
_WAITS = 5  # 0.1 s, 0.2 s, ...: 3 s in all


class DeployedCode(msgspec.Struct, frozen=True):
    """The code of one function or layer.

    Args:
        place: the key in the bucket, or the address of an image.
        sha256: hex; "" where only AWS knows it.
        models: name or store address -> sha256, hex.
    """

    place: str
    sha256: str
    models: dict[str, str] = {}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment, or the try of one.

    Args:
        number: the version: 1, 2, ...
        token: of the run that claimed the number.
        by: the caller's ARN; at, finished_at: UTC, `2026-11-22T14:05:09Z`.
        commit: of git; `dirty` where the folder held changes beside it.
        template_sha256: of the canonical template.
        action: what it was; `restores` is the version that a rollback went back to.
        why: the first cause of a failure.
        bareboat: the version that deployed.
    """

    number: int
    state: State
    token: str
    service: str
    stage: str
    stack: str
    by: str
    at: str
    template_sha256: str
    finished_at: str = ""
    commit: str = ""
    dirty: bool = False
    action: Action = "deploy"
    restores: int | None = None
    functions: dict[str, DeployedCode] = {}
    layers: dict[str, DeployedCode] = {}
    why: str = ""
    bareboat: str = ""

    @property
    def models(self) -> dict[str, str]:
        """The models of all functions: name -> sha256, hex."""
        return {name: sha256 for code in self.functions.values() for name, sha256 in code.models.items()}

    @property
    def keys(self) -> set[str]:
        """The archives in the bucket that it runs."""
        return {
            code.place
            for code in (*self.functions.values(), *self.layers.values())
            if code.place.endswith(".zip") and ".dkr.ecr." not in code.place
        }


def canonical(template: Mapping[str, Any]) -> bytes:
    """Return a template as JSON with sorted keys, such that equal ones have equal bytes.

    What is not ASCII becomes `?`: CloudFormation answers with that for a template that holds it.
    """
    text = json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return re.sub(r"[^\x00-\x7f]", "?", text).encode()


def digest(template: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical template, hex."""
    return hashlib.sha256(canonical(template)).hexdigest()


def contents_of(shipment: Shipment) -> tuple[dict[str, DeployedCode], dict[str, DeployedCode]]:
    """Return what a record says of the functions and layers of a shipment."""
    functions = {
        name: DeployedCode(
            one.code.key if isinstance(one.code, ZipCode) else one.code.uri, one.code.sha256, dict(one.models)
        )
        for name, one in shipment.functions.items()
    }
    return functions, {name: DeployedCode(code.key, code.sha256) for name, code in shipment.layers.items()}


def live_record(records: Iterable[Record], template: Mapping[str, Any] | None) -> Record | None:
    """Return the record of what the stack runs: the newest finished one with its template."""
    if template is None:
        return None
    wanted = digest(template)
    return max(
        (one for one in records if one.state == "done" and one.template_sha256 == wanted),
        key=lambda one: one.number,
        default=None,
    )


class Records:
    """The records of one stage of a service.

    Args:
        clock: seconds since 1970, as `time.time`.
    """

    def __init__(
        self,
        aws: Aws,
        bucket: Bucket,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aws = aws
        self.bucket = bucket
        self._clock = clock
        self._sleep = sleep

    def read(self) -> tuple[Record, ...]:
        """Return all records by number; one that is damaged is left out, and its number stays taken.

        Raises:
            AwsError: S3 refuses; a bucket that is gone holds none.
        """
        numbers = self._numbers()
        if not numbers:
            return ()
        self._aws.client("s3")
        with ThreadPoolExecutor(min(8, len(numbers))) as pool:
            found = pool.map(self._one, numbers)
            return tuple(record for record in found if record is not None)

    @property
    def last(self) -> int:
        """The highest number that is taken; 0 for none.

        Raises:
            AwsError: S3 refuses.
        """
        return max(self._numbers(), default=0)

    def template(self, number: int) -> Json:
        """Return the template of a version, as it was sent.

        Raises:
            RemoteError: it is not there.
            AwsError: S3 refuses.
        """
        data = self._get(self._key(number, "template.json"))
        try:
            template = json.loads(data) if data is not None else None
        except ValueError:
            template = None
        if not isinstance(template, dict):
            raise RemoteError(
                f"the template of version {number} is not in s3://{self.bucket.name}/{self.bucket.folder}/deployments",
                expected="what its deployment wrote there",
                fix="another version: bareboat list shows them",
            )
        return template

    def begin(  # noqa: PLR0913 - what is recorded
        self,
        template: Mapping[str, Any],
        service: Service,
        contents: Shipment | Record,
        *,
        action: Action = "deploy",
        restores: int | None = None,
        commit: str = "",
        dirty: bool = False,
        live: Mapping[str, Any] | None = None,
        after: int = 0,
    ) -> Record:
        """Claim the next number and write a pending record with its template, before a change set is executed.

        Args:
            contents: the code, or the version that is gone back to.
            live: the template that the stack has until now: it settles records that a crash left pending.
            after: a number that is taken elsewhere, such as in the bucket that the stack leaves.
        Raises:
            AwsError: S3 refuses.
        """
        records = self.settle(live) if live is not None else self.read()
        functions, layers = (
            contents_of(contents) if isinstance(contents, Shipment) else (contents.functions, contents.layers)
        )
        record = Record(
            number=max((*self._numbers(), *(one.number for one in records), after)) + 1,
            state="pending",
            token=uuid4().hex,
            service=service.name,
            stage=service.provider.stage,
            stack=service.provider.stack_name,
            by=self._aws.identity.arn,
            at=self._now(),
            template_sha256=digest(template),
            commit=commit,
            dirty=dirty,
            action=action,
            restores=restores,
            functions=functions,
            layers=layers,
            bareboat=__version__,
        )
        for _ in range(_TRIES):
            if self._claim(record):
                break
            record = msgspec.structs.replace(record, number=record.number + 1)
        else:
            raise RemoteError(f"no number is free in s3://{self.bucket.name}/{self.bucket.folder}/deployments")
        self._put(self._key(record.number, "template.json"), json.dumps(template, ensure_ascii=False).encode())
        return record

    def finish(self, record: Record) -> Record:
        """Write that a deployment is done.

        Raises:
            AwsError: S3 refuses.
        """
        return self._write(msgspec.structs.replace(record, state="done", finished_at=self._now(), why=""))

    def fail(self, record: Record, why: str) -> Record:
        """Write that a deployment failed, with the first cause.

        Raises:
            AwsError: S3 refuses.
        """
        return self._write(msgspec.structs.replace(record, state="failed", finished_at=self._now(), why=why))

    def settle(self, live: Mapping[str, Any] | None, *, busy: bool = False) -> tuple[Record, ...]:
        """Judge records that a crash left pending by the template that the stack has, and return all.

        One whose template is live is done: that is written. Of the others nobody knows whether a run is about to
        execute them, so that they only count as failed here, unless the stack is busy.

        Args:
            live: the stack's own template; None when there is no stack.
            busy: whether something is being done to the stack.
        Raises:
            AwsError: S3 refuses.
        """
        records = self.read()
        if busy or not any(one.state == "pending" for one in records):
            return records
        wanted = digest(live) if live is not None else ""
        judged = []
        for one in records:
            if one.state == "pending" and one.template_sha256 == wanted:
                judged.append(self._finished(one))
            elif one.state == "pending":
                judged.append(msgspec.structs.replace(one, state="failed", why=one.why or "it was interrupted"))
            else:
                judged.append(one)
        return tuple(judged)

    def _finished(self, record: Record) -> Record:
        try:
            return self.finish(record)
        except AwsError as error:
            if error.status != 403:
                raise
            return msgspec.structs.replace(record, state="done")  # who may only read is told all the same

    def remove(self, number: int) -> None:
        """Delete a record and its template.

        Raises:
            AwsError: S3 refuses.
        """
        for name in ("template.json", "deployment.json"):  # the record last: what is half removed is removed again
            self._aws.call("s3", "delete_object", **self.bucket.owned, Key=self._key(number, name))

    # --- objects

    def _key(self, number: int, name: str) -> str:
        return f"{self.bucket.folder}/deployments/{number:06d}/{name}"

    def _numbers(self) -> list[int]:
        prefix = f"{self.bucket.folder}/deployments/"
        try:
            keys = [
                one["Key"]
                for one in self._aws.pages("s3", "list_objects_v2", "Contents", **self.bucket.owned, Prefix=prefix)
            ]
        except AwsError as error:
            if error.code in _ABSENT:
                return []
            raise
        return sorted(int(found.group(1)) for key in keys if (found := _FOLDER.search(key)))

    def _one(self, number: int) -> Record | None:
        data = self._get(self._key(number, "deployment.json"))
        try:
            return msgspec.json.decode(data, type=Record) if data is not None else None
        except msgspec.MsgspecError:
            return None

    def _claim(self, record: Record) -> bool:
        """Write a record where there is none; tell whether the number is ours."""
        for attempt in range(_WAITS):
            try:
                self._put(self._key(record.number, "deployment.json"), _encoded(record), IfNoneMatch="*")
                return True
            except AwsError as error:
                if error.code in _CLASH:
                    break
                # The stack's own bucket, if somebody deleted it, is made again at the same time.
                is_made = error.code == _NO_BUCKET and self.bucket.own
                if not (error.code in _BUSY or is_made) or attempt == _WAITS - 1:
                    raise
                self._sleep(0.1 * 2**attempt)
        # Ours all the same, when the answer to our own write got lost and it was sent again.
        there = self._one(record.number)
        return there is not None and there.token == record.token

    def _write(self, record: Record) -> Record:
        self._put(self._key(record.number, "deployment.json"), _encoded(record))
        return record

    def _put(self, key: str, data: bytes, **more: Any) -> None:
        self._aws.call(
            "s3",
            "put_object",
            **self.bucket.owned,
            **self.bucket.encryption,
            Key=key,
            Body=data,
            ContentType="application/json",
            **more,
        )

    def _get(self, key: str) -> bytes | None:
        try:
            return self._aws.read("s3", "get_object", "Body", **self.bucket.owned, Key=key)
        except AwsError as error:
            if error.code in _ABSENT:
                return None
            raise

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encoded(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=1)
