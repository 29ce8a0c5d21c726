"""A stage -> nothing: bucket emptied, stack deleted, logs, layers, images and records removed; then proven."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from bareboat.aws.belongings import Belongings, find_belongings
from bareboat.aws.bucket import OWN_BUCKET, is_there
from bareboat.aws.causes import failure
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.emptying import empty, measure
from bareboat.aws.live import delete_stack
from bareboat.aws.progress import Progress
from bareboat.aws.stack import Settled, Stack, find_stack, settle
from bareboat.aws.stays import Stay, what_stays
from bareboat.aws.together import together
from bareboat.errors import RemoteError
from bareboat.service.model import Service

_TRIES = 3
_ABSENT = ("ResourceNotFoundException", "RepositoryNotFoundException", "NotFoundException", "NoSuchBucket", "404")
_PROOFS = {  # type -> how one asks for it
    "AWS::Lambda::Function": ("lambda", "get_function_configuration", "FunctionName"),
    "AWS::ApiGatewayV2::Api": ("apigatewayv2", "get_api", "ApiId"),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_api", "restApiId"),
    "AWS::IAM::Role": ("iam", "get_role", "RoleName"),
    "AWS::S3::Bucket": ("s3", "head_bucket", "Bucket"),
    "AWS::SQS::Queue": ("sqs", "get_queue_attributes", "QueueUrl"),
    "AWS::SNS::Topic": ("sns", "get_topic_attributes", "TopicArn"),
    "AWS::DynamoDB::Table": ("dynamodb", "describe_table", "TableName"),
}
_GONE = (*_ABSENT, "NoSuchEntity", "NotFound", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal came to.

    Args:
        gone: what was removed, in words: "the stack demo-dev, 23 resources".
        stays: what is left on purpose.
        asked: how many things AWS was asked for again, and does not have any more.
    """

    gone: tuple[str, ...]
    stays: tuple[Stay, ...]
    asked: int = 0


def refuse_removal(found: Belongings) -> None:
    """Refuse what cannot be removed, before anything is.

    Raises:
        RemoteError: the stack is protected, or other stacks use what it exports.
    """
    if found.stack is not None and found.stack.protected:
        raise RemoteError(
            f"{found.stack.name} is protected from deletion",
            expected="provider.deletionProtection off",
            fix=f"aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--stack-name {found.stack.name}",
        )
    if found.importers:
        said = "; ".join(f"{name} by {', '.join(stacks)}" for name, stacks in found.importers.items())
        raise RemoteError(
            f"other stacks use what {found.stack.name if found.stack else 'the stack'} exports: {said}",
            expected="exports that nobody imports",
            fix="remove those stacks first, or take Fn::ImportValue out of them",
        )


def remove(
    aws: Aws,
    service: Service,
    found: Belongings,
    *,
    lose: Collection[str] = (),
    wait: bool = True,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Removed:
    """Remove all that a stage has, and prove that it is gone. An interrupted removal goes on where it ended.

    Args:
        found: what was shown, and agreed to.
        lose: the logical ids of resources whose data may be lost: their buckets are emptied.
        wait: whether to wait for what somebody else is doing to the stack.
    Raises:
        RemoteError: something cannot be removed: what, and how to mend it. Nothing that is needed to go on is lost.
        AwsError: AWS refuses.
    """
    run = _Removal(aws, service, found, frozenset(lose), progress or Progress(), sleep)
    refuse_removal(found)
    run.refuse_loss()
    if found.stack is not None:
        run.delete_stack(found.stack, wait=wait)
    run.delete_rest()
    asked = run.prove()
    run.progress.begin("done", "Done")
    return Removed(tuple(run.gone), what_stays(service, replace(found, other_layers=run.other_layers())), asked)


class _Removal:
    """One removal under way."""

    def __init__(
        self,
        aws: Aws,
        service: Service,
        found: Belongings,
        lose: frozenset[str],
        progress: Progress,
        sleep: Callable[[float], None],
    ) -> None:
        self.aws = aws
        self.service = service
        self.found = found
        self.lose = lose
        self.progress = progress
        self.sleep = sleep
        self.gone: list[str] = []
        self.after: Belongings | None = None
        progress.stack = service.provider.stack_name
        progress.removes = True

    def refuse_loss(self) -> None:
        """Refuse to lose data that nobody agreed to lose."""
        more = [one for one in self.found.data if one.resource.logical_id not in self.lose]
        if more:
            named = "; ".join(f"{one.resource.logical_id} ({one.resource.type}): {one.loss}" for one in more)
            raise RemoteError(
                f"data would be lost: {named}",
                expected="an answer to that",
                fix=" ".join(f"--allow-loss {one.resource.logical_id}" for one in more)
                + ", or DeletionPolicy: Retain and a deploy before",
            )

    # --- the stack

    def delete_stack(self, stack: Stack, *, wait: bool) -> None:
        """Delete it, and empty its buckets once that is under way; what can be mended of a deletion that fails is.

        CloudFormation comes to a bucket some seconds later; one that is not empty by then is met by another try. Until
        it has agreed to delete the stack, nothing of the code and the records that it needs is touched.
        """
        rested = self._rested(stack, wait=wait)
        if rested is None:
            return
        settled: Settled | None = None
        for _ in range(_TRIES):
            self.progress.begin("ask", f"Asking CloudFormation to delete {stack.name}")
            settled = delete_stack(
                self.aws, rested, progress=self.progress, sleep=self.sleep, meanwhile=self._while_deleting
            )
            if settled.stack is None:
                self.gone.append(f"the stack {stack.name}, {_count(len(self.found.resources), 'resource')}")
                return
            if not self._is_worth_another_try(settled):
                break
        assert settled is not None
        raise _delete_failed(settled, stack.name)

    def _while_deleting(self) -> None:
        self._empty_buckets()
        name = self.progress.stack
        self.progress.begin("delete", f"Deleting {name}", resources=len(self.found.resources))

    def _rested(self, stack: Stack, *, wait: bool) -> Stack | None:
        """Return the stack when nobody is at work on it; None when that was its deletion."""
        for _ in range(10):
            if not stack.is_busy:
                return stack
            if not wait:
                raise RemoteError(
                    f"somebody else is at work on {stack.name}: {stack.status}",
                    expected="a stack at rest",
                    fix="without --no-wait the command waits for it",
                )
            if stack.status == "DELETE_IN_PROGRESS":
                self._empty_buckets()  # else it ends at them
            self.progress.begin("wait", f"Waiting for what is done to {stack.name} ({stack.status})")
            settle(self.aws, stack.id, started=False, on_event=self.progress.event, sleep=self.sleep)
            now = find_stack(self.aws, stack.id)
            if now is None:
                self.gone.append(f"the stack {stack.name}, {_count(len(self.found.resources), 'resource')}")
                return None
            stack = now
        raise RemoteError(f"others keep changing {stack.name}", expected="a stack at rest", fix="try again later")

    def _empty_buckets(self) -> None:
        bucket = self.found.bucket
        if bucket is not None and bucket.own:
            self.progress.begin("empty", f"Emptying {bucket.name}")
            count = empty(self.aws, bucket.name, owner=bucket.owner, sleep=self.sleep)
            if count:
                self.gone.append(f"{_count(count, 'version')} of objects in {bucket.name}")
        for one in self.found.data:
            if one.resource.type == "AWS::S3::Bucket" and one.resource.logical_id in self.lose:
                self.progress.begin("empty", f"Emptying {one.resource.physical_id}")
                owner = self.aws.identity.account
                count = empty(self.aws, one.resource.physical_id, owner=owner, sleep=self.sleep)
                if count:
                    self.gone.append(f"{_count(count, 'version')} of objects in {one.resource.physical_id}")

    def _is_worth_another_try(self, settled: Settled) -> bool:
        """Whether the deletion failed for something that another try may find mended: a bucket that was written to."""
        if settled.status != "DELETE_FAILED":
            return False
        cause = settled.cause
        reason = cause.reason.lower() if cause is not None else ""
        if "not empty" in reason:
            ours = {OWN_BUCKET, *self.lose}
            return cause is not None and cause.logical_id in ours
        return any(text in reason for text in ("throttl", "rate exceeded", "internal", "timed out", "try again"))

    # --- what no stack removes

    def delete_rest(self) -> None:
        """Remove logs, layers, images and what lies in a bucket that stays."""
        self.progress.begin("clear", "Removing logs, layers and images")
        together(
            [
                *(partial(self._delete_log, one.name) for one in self.found.logs),
                *(
                    partial(self._delete_layer, name, version)
                    for name, versions in self.found.layers.items()
                    for version in versions
                ),
                *([self._delete_repository] if self.found.repository else []),
                *([self._empty_folder] if self.found.bucket is not None and not self.found.bucket.own else []),
                *([self._delete_own_bucket] if self.found.bucket is not None and self.found.bucket.own else []),
            ]
        )

    def _delete_log(self, name: str) -> None:
        if any(one.type == "AWS::Logs::LogGroup" and one.physical_id == name for one in self.found.kept):
            return
        if self._call("logs", "delete_log_group", logGroupName=name):
            self.gone.append(f"the log group {name}")

    def _delete_layer(self, name: str, version: int) -> None:
        self._call("lambda", "delete_layer_version", LayerName=name, VersionNumber=version)
        self.gone.append(f"version {version} of the layer {name}")

    def _delete_repository(self) -> None:
        if self._call("ecr", "delete_repository", repositoryName=self.found.repository, force=True):
            images = f", {_count(self.found.images, 'image')}" if self.found.images else ""
            self.gone.append(f"the ECR repository {self.found.repository}{images}")

    def _empty_folder(self) -> None:
        bucket = self.found.bucket
        assert bucket is not None
        count = empty(self.aws, bucket.name, f"{bucket.folder}/", owner=bucket.owner, sleep=self.sleep)
        if count:
            self.gone.append(f"{_count(count, 'version')} of objects in s3://{bucket.name}/{bucket.folder}/")

    def _delete_own_bucket(self) -> None:
        """Delete the bucket where a deletion of the stack left it behind."""
        bucket = self.found.bucket
        assert bucket is not None
        if not is_there(self.aws, bucket.name):
            return
        empty(self.aws, bucket.name, owner=bucket.owner, sleep=self.sleep)
        if self._call("s3", "delete_bucket", **bucket.owned):
            self.gone.append(f"the bucket {bucket.name}")

    def _call(self, service: str, operation: str, **arguments: object) -> bool:
        """Make a call that deletes, and tell whether there was something to delete."""
        try:
            self.aws.call(service, operation, **arguments)  # type: ignore[arg-type]
        except AwsError as error:
            if error.code in _ABSENT:
                return False
            raise
        return True

    # --- proof

    def prove(self) -> int:
        """Ask AWS again for everything, and return how much that was.

        Raises:
            RemoteError: something is still there.
        """
        self.progress.begin("prove", "Asking AWS whether all of it is gone")
        left: list[str] = []
        for _ in range(_TRIES):
            asked, left = self._left()
            if not left:
                return asked
            self.sleep(1.0)
        raise RemoteError(
            f"still there: {'; '.join(left)}",
            expected="nothing of the service",
            fix="bareboat remove again; if it stays, look at it in the console",
        )

    def _left(self) -> tuple[int, list[str]]:
        after = find_belongings(self.aws, self.service, measured=False)
        self.after = after
        left = [f"the stack {after.stack.name} ({after.stack.status})"] if after.stack is not None else []
        kept = {one.physical_id for one in (*self.found.kept, *after.kept)}
        left += [f"the log group {one.name}" for one in after.logs if one.name not in kept]
        left += [f"the layer {name} {', '.join(map(str, versions))}" for name, versions in after.layers.items()]
        left += [f"the ECR repository {after.repository}"] if after.repository else []
        bucket = self.found.bucket
        if bucket is not None and bucket.own and is_there(self.aws, bucket.name):
            left.append(f"the bucket {bucket.name}")
        elif bucket is not None and not bucket.own:
            count, _ = measure(self.aws, bucket.name, f"{bucket.folder}/", owner=bucket.owner)
            left += [f"{_count(count, 'object')} in s3://{bucket.name}/{bucket.folder}/"] if count else []
        asks = [
            (one.type, one.physical_id)
            for one in self.found.resources
            if one.type in _PROOFS and one.physical_id and one.physical_id not in kept
        ]
        for type_, _name in asks:
            self.aws.client(_PROOFS[type_][0])
        there = together([partial(self._is_there, *one) for one in asks])
        left += [f"{type_} {name}" for (type_, name), found in zip(asks, there, strict=True) if found]
        known = sum(found is not None for found in there)
        logs = {one.name for one in self.found.logs}
        layers = sum(len(versions) for versions in self.found.layers.values())
        return 3 + known + len(logs) + layers, left

    def _is_there(self, type_: str, name: str) -> bool | None:
        """Tell whether a resource is there; None where the caller may not ask."""
        service, operation, argument = _PROOFS[type_]
        try:
            self.aws.call(service, operation, **{argument: name})
        except AwsError as error:
            if error.code in _GONE or error.status == 404:
                return False
            if error.status == 403:
                return None
            raise
        return True

    def other_layers(self) -> dict[str, tuple[int, ...]]:
        """Return the layer versions of the service's names that stay."""
        return dict((self.after or self.found).other_layers)


def _delete_failed(settled: Settled, name: str) -> RemoteError:
    cause = settled.cause
    problem = failure(cause) if cause is not None else None
    assert settled.stack is not None
    found = problem.found if problem else settled.stack.reason or "AWS gives no reason"
    fix = problem.fix if problem else ""
    if cause is not None and "not empty" in cause.reason.lower():
        fix = f"aws s3 rm s3://{cause.physical_id} --recursive, or --allow-loss {cause.logical_id}"
    skip = (
        f" or leave it: aws cloudformation delete-stack --stack-name {name} --retain-resources {cause.logical_id}"
        if (cause is not None and not cause.of_stack)
        else ""
    )
    return RemoteError(
        f"{name} cannot be deleted whole ({settled.status}): {found}",
        expected="no stack; what is not deleted yet is still there, and the rest is gone",
        fix=(f"{fix}; then bareboat remove again" if fix else "bareboat remove again") + (f";{skip}" if skip else ""),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
