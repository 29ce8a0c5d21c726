"""What runs at AWS now: the stack, its template, the code of its functions; and waiting until it can be changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bareboat.aws.bucket import Bucket, bucket_name_of, find_bucket, own_bucket
from bareboat.aws.causes import failure
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.owner import refuse_other_owner
from bareboat.aws.progress import Progress
from bareboat.aws.stack import Settled, Sleep, Stack, find_stack, settle, stack_template
from bareboat.aws.template.naming import BUCKET_OUTPUT
from bareboat.aws.together import ready, together
from bareboat.errors import RemoteError
from bareboat.service.model import Service

CLIENTS = ("cloudformation", "lambda")
ABSENT = ""
Ask = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Live:
    """What there is.

    Args:
        template: that of the stack; None where there is no stack, or nothing was made of it yet.
        bucket: where code lies; None where the stack has none yet.
        code: a function's name on AWS -> its CodeSha256 (base64); "" where there is no such function, no entry where it
            may not be asked for.
    """

    stack: Stack | None = None
    template: Mapping[str, Any] | None = None
    bucket: Bucket | None = None
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether there is a stack that can be updated."""
        return self.stack is not None and not self.stack.is_empty and not _must_go(self.stack)


def look(
    aws: Aws, service: Service, functions: Sequence[str] = (), *, meanwhile: Callable[[], object] = lambda: None
) -> Live:
    """Ask AWS what there is, all at the same time.

    Args:
        functions: the names on AWS of functions whose code is compared.
        meanwhile: done while AWS answers, in a thread; it alone may make clients.
    Raises:
        AwsError: AWS refuses.
    """
    ready(aws, CLIENTS)
    name = service.provider.stack_name
    stack, template, _, *codes = together(
        [
            lambda: find_stack(aws, name),
            lambda: _template(aws, name),
            meanwhile,
            *(lambda one=one: code_sha256(aws, one) for one in functions),
        ]
    )
    if stack is None or stack.is_empty:
        template = None  # whatever AWS says of the template of a stack that was never made
    elif isinstance(template, AwsError):
        raise template
    known = {name: sha for name, sha in zip(functions, codes, strict=True) if sha is not None}
    return Live(stack, template, _bucket(aws, service, stack), known)


def _template(aws: Aws, name: str) -> Mapping[str, Any] | AwsError | None:
    try:
        return stack_template(aws, name)
    except AwsError as error:
        if error.code != "ValidationError":
            raise
        return error


def _bucket(aws: Aws, service: Service, stack: Stack | None) -> Bucket | None:
    """Return where code lies; the stack's own output spares a call."""
    own = stack.outputs.get(BUCKET_OUTPUT) if stack is not None else None
    if stack is not None and own and not bucket_name_of(service):
        return own_bucket(service, own, stack.account)
    if (stack is None or stack.is_empty) and not bucket_name_of(service):
        return None
    return find_bucket(aws, service)


def code_sha256(aws: Aws, function: str) -> str | None:
    """Return the CodeSha256 of a function; "" where there is none, None where it may not be asked for.

    Raises:
        AwsError: AWS does not answer.
    """
    try:
        return str(aws.call("lambda", "get_function_configuration", FunctionName=function).get("CodeSha256") or "")
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return ABSENT
        if error.status in (400, 403):
            return None
        raise


def prepared(
    aws: Aws,
    service: Service,
    live: Live,
    *,
    functions: Sequence[str] = (),
    wait: bool = True,
    ask: Ask | None = None,
    progress: Progress,
    sleep: Sleep = time.sleep,
) -> Live:
    """Bring a stack into a state in which it can be changed, as far as it is not.

    Args:
        wait: whether to wait for what somebody else is doing to it.
        ask: asked before something is done at AWS; it raises if that is not wanted. None does nothing there: a stack
            whose creation failed then counts as none.
    Raises:
        RemoteError: somebody else is at work on it and `wait` is False; or it cannot be mended without a person.
        AwsError: AWS refuses.
    """
    for _ in range(10):
        stack = live.stack
        if stack is None:
            return live
        progress.stack = stack.name
        refuse_other_owner(aws, service, stack, live.template, live.bucket)
        if stack.is_busy:
            _wait(aws, stack, wait, progress, sleep)
        elif stack.status == "UPDATE_ROLLBACK_FAILED":
            _mend(aws, stack, ask, progress, sleep)
        elif stack.status == "DELETE_FAILED":
            raise RemoteError(
                f"the removal of {stack.name} failed halfway: {stack.reason or 'AWS gives no reason'}",
                expected="a stack that is whole, or none",
                fix="bareboat remove, then bareboat deploy",
            )
        elif _must_go(stack):
            if ask is None:
                return Live(None, None, live.bucket if live.bucket and not live.bucket.own else None)
            _clear(aws, stack, ask, progress, sleep)
        else:
            return live
        live = look(aws, service, functions)
    raise RemoteError(
        f"others keep changing {service.provider.stack_name}", expected="a stack at rest", fix="try again later"
    )


def is_overtaken(error: AwsError) -> bool:
    """Return whether AWS refuses since somebody else changed the stack, or is at work on it."""
    text = str(error)
    return error.code in ("InvalidChangeSetStatus", "ChangeSetNotFound", "OperationInProgressException") or (
        error.code == "ValidationError"
        and ("_IN_PROGRESS state" in text or "already exists and cannot be created" in text)
    )


def _must_go(stack: Stack) -> bool:
    """Whether its creation failed and was taken back, after which CloudFormation only deletes it."""
    return stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")


def _wait(aws: Aws, stack: Stack, wait: bool, progress: Progress, sleep: Sleep) -> None:
    if not wait:
        raise RemoteError(
            f"somebody else is at work on {stack.name}: {stack.status}",
            expected="a stack at rest",
            fix="without --no-wait the command waits for it",
        )
    progress.begin("wait", f"Waiting for what somebody else does to {stack.name} ({stack.status})")
    settle(aws, stack.id, started=False, on_event=progress.event, sleep=sleep)


def _mend(aws: Aws, stack: Stack, ask: Ask | None, progress: Progress, sleep: Sleep) -> None:
    """Have CloudFormation try again to go back to where the stack was."""
    if ask is None:
        raise RemoteError(
            f"{stack.name} is UPDATE_ROLLBACK_FAILED: {stack.reason or 'going back failed too'}",
            expected="a stack that can be changed",
            fix="bareboat deploy tries to go back again first",
        )
    ask(f"{stack.name} is UPDATE_ROLLBACK_FAILED. Try to go back again?")
    progress.begin("update", f"Going back to where {stack.name} was")
    after = last_event(aws, stack.id)
    aws.call("cloudformation", "continue_update_rollback", StackName=stack.id)
    settled = settle(aws, stack.id, after=after, on_event=progress.event, sleep=sleep)
    if settled.status == "UPDATE_ROLLBACK_FAILED":
        cause = settled.cause
        problem = failure(cause) if cause is not None else None
        name = cause.logical_id if cause is not None else "LOGICAL_ID"
        raise RemoteError(
            f"{stack.name} cannot go back: {problem.found if problem else 'AWS gives no reason'}",
            expected="UPDATE_ROLLBACK_COMPLETE",
            fix=(problem.fix + "; or " if problem and problem.fix else "")
            + f"leave it out: aws cloudformation continue-update-rollback --stack-name {stack.name} "
            f"--resources-to-skip {name}, then bareboat deploy",
        )


def _clear(aws: Aws, stack: Stack, ask: Ask, progress: Progress, sleep: Sleep) -> None:
    """Delete a stack whose creation failed; nothing of it is live."""
    ask(f"The creation of {stack.name} failed ({stack.status}), and nothing of it runs. Delete what is left of it?")
    progress.begin("clear", f"Deleting what is left of {stack.name}")
    settled = delete_stack(aws, stack, progress=progress, sleep=sleep)
    if settled.stack is not None:
        cause = settled.cause
        problem = failure(cause) if cause is not None else None
        raise RemoteError(
            f"{stack.name} cannot be deleted: {problem.found if problem else settled.stack.reason}",
            expected="no stack, or one that can be changed",
            fix=(problem.fix if problem else "") or "bareboat remove",
        )


def delete_stack(
    aws: Aws,
    stack: Stack,
    *,
    progress: Progress,
    sleep: Sleep = time.sleep,
    meanwhile: Callable[[], None] = lambda: None,
) -> Settled:
    """Delete a stack and wait for the end; the result's stack is None when it is gone.

    Args:
        meanwhile: done once CloudFormation is at work, such as emptying the buckets that it comes to.
    Raises:
        AwsError: AWS refuses, such as a stack that is protected.
    """
    after = last_event(aws, stack.id)
    aws.call("cloudformation", "delete_stack", StackName=stack.id)
    meanwhile()
    return settle(aws, stack.id, after=after, on_event=progress.event, sleep=sleep)


def last_event(aws: Aws, name: str) -> str:
    """Return the id of the newest event of a stack; what follows is read after it.

    Raises:
        AwsError: AWS refuses.
    """
    said = aws.call("cloudformation", "describe_stack_events", StackName=name)
    return str(next((one["EventId"] for one in said.get("StackEvents") or ()), ""))
