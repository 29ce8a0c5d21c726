"""A plan -> a stack that runs it: code uploaded, change set carried out, drift mended, a record written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bareboat.aws.bucket import Bucket, is_bucket_alone
from bareboat.aws.causes import failure, plain_reason
from bareboat.aws.changes import Change, ChangeSet, create_change_set, execute
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.code_swap import swap_code
from bareboat.aws.commit import Commit
from bareboat.aws.live import delete_stack, is_overtaken, look, prepared
from bareboat.aws.plan import ChangeSetError, Plan, make_plan, policy_text, refuse_failed, template_place
from bareboat.aws.progress import Progress
from bareboat.aws.record import Record, Records
from bareboat.aws.shipment import Shipment
from bareboat.aws.stack import Settled, Sleep, Stack, StackEvent, settle
from bareboat.aws.stages import Stage, has_stages, read_stages, set_stage, stage_changes
from bareboat.aws.together import ready, together
from bareboat.errors import Problem, RemoteError

Send = Callable[[Bucket | None], Any]
TRIES = 3
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


class DeployError(RemoteError):
    """CloudFormation did not carry a change set out.

    Args:
        stack: as it is now; None when it is gone.
        cause: the first failure.
    """

    def __init__(self, settled: Settled, name: str, cause: Problem) -> None:
        super().__init__(cause.found, problems=(cause,))
        self.settled = settled
        self.stack = settled.stack
        self.name = name
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment came to.

    Args:
        record: None where nothing had to be recorded.
        swapped: functions whose code was put in place without CloudFormation, by their names on AWS.
    """

    stack: Stack
    plan: Plan
    record: Record | None = None
    swapped: tuple[str, ...] = ()
    bucket: Bucket | None = None

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack."""
        return self.stack.outputs


def apply(  # noqa: PLR0913 - what is done, what it is recorded as, and what tests set
    aws: Aws,
    plan: Plan,
    *,
    send: Send | None = None,
    shipment: Shipment | Record | None = None,
    first: Mapping[str, Any] | None = None,
    commit: Commit = Commit(),  # noqa: B008 - it is a tuple
    action: Any = "deploy",
    restores: int | None = None,
    progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> Deployment:
    """Carry a plan out.

    Args:
        send: uploads the code to the bucket that it is given (None where code lies elsewhere); called once. Without one
            all code is there.
        shipment: the code, or the version that is gone back to, for the record; None writes none.
        first: the template of the first step of a first deployment, which makes the bucket; None leaves that step out.
        commit, action, restores: for the record.
    Raises:
        DeployError: CloudFormation failed, and went back to where the stack was.
        RemoteError: the stack was changed by somebody else in between, so that the plan does not hold.
        AwsError: AWS refuses.
    """
    run = _Run(aws, plan, progress or Progress(), sleep)
    run.progress.stack = plan.stack_name
    if plan.is_empty:
        assert plan.live.stack is not None
        return Deployment(plan.live.stack, plan)
    if plan.is_first and first is not None:
        run.make_bucket(first)

    def begin() -> Record | None:
        bucket = run.plan.live.bucket
        if shipment is None or bucket is None or not run.plan.changes:
            return None
        return Records(aws, bucket).begin(
            plan.template,
            plan.service,
            shipment,
            action=action,
            restores=restores,
            commit=commit.id,
            dirty=commit.dirty,
            live=run.plan.live.template,
            after=run.plan.left.last if run.plan.left is not None else 0,
        )

    sends: list[Callable[[], Any]] = []
    if send is not None:
        uploads = send
        sends.append(lambda: uploads(run.plan.live.bucket))
        run.progress.begin("upload", "Looking which code is to be uploaded")
    ready(aws, ("s3", "sts"))
    *_, record = together([*sends, begin])
    before = run.stages_before()
    try:
        swapped = run.mend_drift()
        stack = run.carry_out()
    except (DeployError, ChangeSetError) as error:
        if record is not None:
            Records(aws, _bucket(run.plan)).fail(record, plain_reason(error.problems[0].found))
        raise
    run.progress.begin("finish", "Finishing")
    run.set_stages(before)
    ends: list[Callable[[], Any]] = [lambda: run.finish_settings(stack)]
    if record is not None:
        done = record
        ends.append(lambda: Records(aws, _bucket(run.plan)).finish(done))
    _, *finished = together(ends)
    run.progress.begin("done", "Done")
    plan = replace(plan, changes=run.outcome(plan.changes))
    return Deployment(stack, plan, finished[0] if finished else None, swapped, run.plan.live.bucket)


def _bucket(plan: Plan) -> Bucket:
    assert plan.live.bucket is not None
    return plan.live.bucket


class _Run:
    """One deployment under way; `plan` is made anew where the stack was changed by somebody else."""

    def __init__(self, aws: Aws, plan: Plan, progress: Progress, sleep: Sleep) -> None:
        self.aws = aws
        self.plan = plan
        self.progress = progress
        self.sleep = sleep
        self.events: tuple[StackEvent, ...] = ()

    def outcome(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Return changes as they came out: what was perhaps to be replaced was, or was changed in place."""
        names = {event.logical_id: event.physical_id for event in self.events if event.physical_id}

        def done(change: Change) -> Change:
            name = names.get(change.logical_id)
            if change.kind != "maybe-replace" or name is None:
                return change
            return replace(change, kind="replace" if name != change.physical_id else "modify")

        return tuple(done(change) for change in changes)

    def make_bucket(self, template: Mapping[str, Any]) -> None:
        """Make the stack with its bucket alone, and plan the rest of it."""
        plan = self.plan
        # The template of the bucket has no parameters, and no alarms that going back could hang on.
        settings = replace(plan.settings, parameters={}, rollback={})
        step = make_plan(self.aws, plan.service, template, plan.live, settings=settings)
        try:
            change_set = self._create(step)
            execute(self.aws, change_set, sleep=self.sleep)
        except AwsError as error:
            if not is_overtaken(error):
                raise
            raise _made_meanwhile(plan, error) from error
        self.progress.begin("create", f"Creating {plan.stack_name} with its bucket", resources=len(step.changes))
        self._settled(change_set)
        live = look(self.aws, plan.service)
        if live.bucket is None:
            raise RemoteError(
                f"{plan.stack_name} was made without its bucket",
                expected="ServerlessDeploymentBucket among its resources",
                fix="bareboat deploy again",
            )
        self.plan = replace(plan, live=replace(live, code=plan.live.code))

    def _create(self, plan: Plan) -> ChangeSet:
        """Make a change set that creates a stack."""
        change_set = create_change_set(
            self.aws,
            plan.stack_name,
            template_place(self.aws, plan.text, plan.live.bucket),
            kind="CREATE",
            settings=plan.settings,
            after=plan.template,
            sleep=self.sleep,
        )
        refuse_failed(self.aws, change_set)
        return change_set

    def carry_out(self) -> Stack:
        """Have CloudFormation change the stack, and return it."""
        for _ in range(TRIES):
            plan = self.plan
            if not plan.changes:
                assert plan.live.stack is not None
                return plan.live.stack
            try:
                change_set = plan.change_set or self._change_set()
                if change_set is None:
                    continue
                verb = "Creating" if change_set.kind == "CREATE" else "Updating"
                execute(self.aws, change_set, keeps_failed=keeps_failed(plan), sleep=self.sleep)
            except AwsError as error:
                if not is_overtaken(error):
                    raise
                self._again(error)
                continue
            phase = "create" if change_set.kind == "CREATE" else "update"
            self.progress.begin(phase, f"{verb} {plan.stack_name}", resources=len(change_set.changes))  # type: ignore[arg-type]
            return self._settled(change_set)
        raise RemoteError(
            f"others keep changing {self.plan.stack_name}", expected="a stack at rest", fix="bareboat deploy again"
        )

    def _change_set(self) -> ChangeSet | None:
        """Make the change set of a plan that has none yet; None where nothing changes after all."""
        plan = self.plan
        if plan.is_first:
            return self._create(plan)
        self.plan = replace(
            make_plan(self.aws, plan.service, plan.template, plan.live, settings=plan.settings, sleep=self.sleep),
            drifted=plan.drifted,
        )
        refuse_more(plan, self.plan)
        return self.plan.change_set

    def _again(self, error: AwsError) -> None:
        """Plan anew, since somebody else changed the stack; refuse what was not agreed to."""
        old = self.plan
        live = prepared(
            self.aws,
            old.service,
            look(self.aws, old.service),
            progress=self.progress,
            sleep=self.sleep,
        )
        if old.is_first:
            raise _made_meanwhile(old, error) from error
        self.progress.note(f"{old.stack_name} was changed by somebody else: its changes are worked out again")
        new = make_plan(
            self.aws,
            old.service,
            old.template,
            replace(live, code=old.live.code),
            settings=old.settings,
            sleep=self.sleep,
        )
        refuse_more(old, new)
        self.plan = new

    def _settled(self, change_set: ChangeSet) -> Stack:
        settled = settle(
            self.aws, change_set.stack_id, since=change_set.created, on_event=self.progress.event, sleep=self.sleep
        )
        self.events = settled.events
        if settled.stack is not None and settled.status in _DONE:
            return settled.stack
        raise DeployError(settled, self.plan.stack_name, _cause(settled, self.plan))

    def mend_drift(self) -> tuple[str, ...]:
        """Put code in place that CloudFormation takes for being there.

        That comes before the change set: a version that it publishes is of the code that is there.
        """
        plan = self.plan
        if not plan.drifted:
            return ()
        bucket = _bucket(plan)
        self.progress.begin("swap", "Putting code back in place")
        for drift in plan.drifted:
            code = {"S3Bucket": bucket.name, "S3Key": drift.key}
            swap_code(self.aws, drift.function, code, code_sha256=drift.code_sha256, sleep=self.sleep)
        return tuple(drift.function for drift in plan.drifted)

    def stages_before(self) -> tuple[Stage, ...]:
        """Return what the template that runs says of stages: what is not said any more is taken back."""
        live = self.plan.live
        if not self.plan.changes or live.stack is None or not live.is_there or not has_stages(live.template):
            return ()
        return read_stages(self.aws, live.stack.name, live.template)

    def set_stages(self, before: tuple[Stage, ...]) -> None:
        """Set the stages of REST APIs as the template that was carried out says."""
        changes = self.plan.stages
        if self.plan.changes and (before or has_stages(self.plan.template)):
            wanted = read_stages(self.aws, self.plan.stack_name, self.plan.template)
            changes = stage_changes(self.aws, wanted, before)
        for change in changes:
            set_stage(self.aws, change, sleep=self.sleep)

    def finish_settings(self, stack: Stack) -> None:
        """Set what a change set does not: deletion protection and the stack policy."""
        settings = self.plan.settings
        if settings.protected is not None and settings.protected != stack.protected:
            self.aws.call(
                "cloudformation",
                "update_termination_protection",
                StackName=stack.name,
                EnableTerminationProtection=settings.protected,
            )
        if settings.policy:
            policy = policy_text(settings)
            self.aws.call("cloudformation", "set_stack_policy", StackName=stack.name, StackPolicyBody=policy)


def keeps_failed(plan: Plan) -> bool:
    """Return whether a failure is not taken back: as `provider.disableRollback` says, or since the last one was not.

    CloudFormation takes changes of a stack that is CREATE_FAILED or UPDATE_FAILED only so.
    """
    stack = plan.live.stack
    return plan.settings.keeps_failed or (stack is not None and stack.status in ("CREATE_FAILED", "UPDATE_FAILED"))


def _made_meanwhile(plan: Plan, error: AwsError) -> RemoteError:
    """Return what to tell where a stack that a plan would make is there by now."""
    return RemoteError(
        f"somebody else made {plan.stack_name} in the meantime ({error})",
        expected="no stack of that name, as when this began",
        fix="bareboat deploy again: it waits for the other, and shows what it changes then",
    )


def refuse_more(old: Plan, new: Plan) -> None:
    """Refuse losses that a plan which was agreed to did not have.

    Raises:
        RemoteError: there are some.
    """
    agreed = {change.logical_id for change in old.changes if change.is_loss or change.kind == "add"}
    more = [change.logical_id for change in new.losses if change.logical_id not in agreed]
    if more:
        raise RemoteError(
            f"{', '.join(more)} would be lost too, since somebody else changed {old.stack_name} in the meantime",
            expected="the changes that were shown",
            fix="bareboat deploy again: it shows them anew",
        )


def _cause(settled: Settled, plan: Plan) -> Problem:
    """Say what failed first, and what state the stack is in."""
    name = plan.stack_name
    event = settled.cause
    first = failure(event) if event is not None else None
    reason = settled.stack.reason if settled.stack is not None else ""
    found = first.found if first is not None else reason or "AWS gives no reason"
    return Problem(f"{name}: {found}", expected=_state(settled, plan), fix=first.fix if first is not None else "")


def _state(settled: Settled, plan: Plan) -> str:
    """Say what is there now, instead of what was to be."""
    if settled.status == "UPDATE_ROLLBACK_COMPLETE" and is_bucket_alone(plan.live.template):
        return "all resources; what was made is deleted again, and the stack has its bucket alone"
    return {
        "DELETE_COMPLETE": "all resources; nothing was made",
        "ROLLBACK_COMPLETE": "all resources; what was made is deleted again, and nothing runs",
        "UPDATE_ROLLBACK_COMPLETE": "all changes; they were taken back, and what ran before runs on",
        "UPDATE_ROLLBACK_FAILED": "all changes; taking them back failed too: bareboat deploy tries that again first",
        "CREATE_FAILED": "all resources; what was made stays (disableRollback)",
        "UPDATE_FAILED": "all changes; what was changed stays (disableRollback)",
    }.get(settled.status, f"an end that is whole; the stack is {settled.status}")


__all__ = ["DeployError", "Deployment", "apply", "delete_stack"]
