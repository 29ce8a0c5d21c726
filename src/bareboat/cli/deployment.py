"""One run of `bareboat deploy`: what is planned, shown, asked for, carried out and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bareboat.cli.options import Source
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.artifact.locking import Locking
    from bareboat.aws.bucket import Bucket
    from bareboat.aws.cargo import Cargo
    from bareboat.aws.client import Aws
    from bareboat.aws.deploy import Deployment
    from bareboat.aws.live import Live
    from bareboat.aws.plan import Plan
    from bareboat.aws.together import Ahead
    from bareboat.cli.deploying import Shown
    from bareboat.service.deploying import Canary
    from bareboat.service.model import Service

FRESH_S = 5.0  # a look at AWS that is older is not planned on


class Work:
    """One run of the command; `again` is the command itself, without what only answers questions."""

    def __init__(
        self,
        terminal: Terminal,
        source: Source,
        service: Service,
        aws: Aws,
        locking: Locking,
        progress: Shown,
        live_then: Ahead[tuple[Live, Ahead[frozenset[str] | None]]],
        again: str,
    ) -> None:
        self.again = again
        self.terminal = terminal
        self.source = source
        self.service = service
        self.aws = aws
        self.locking = locking
        self.progress = progress
        self.live_then = live_then
        self.keys_then: Ahead[frozenset[str] | None]

    def deploy(self, *, yes: bool, allowed: tuple[str, ...], wait: bool, canary: str | None) -> None:
        """Show what changes, ask, carry it out, and show what came of it."""
        from bareboat.cli.deploying import agree_to_losses, asking, refuse_unknown

        trial = self._trial(canary)
        ask = asking(self.terminal, self.progress, yes=yes)
        cargo, plan = self._planned(wait=wait, ask=ask)
        self.progress.close()
        refuse_unknown(allowed, plan)
        if plan.is_empty:
            self._unchanged(plan, cargo)
            return
        from bareboat.aws.cargo import send
        from bareboat.aws.commit import commit_of
        from bareboat.aws.deploy import apply
        from bareboat.aws.images import push_images
        from bareboat.aws.plan import discard
        from bareboat.aws.template.build import bucket_template
        from bareboat.aws.together import Ahead
        from bareboat.cli.changes import refuse_fixed_names, show_changes

        try:
            show_changes(self.terminal, plan)
            self._tell_trial(trial, plan)
            self._tell_bucket(plan)
            refuse_fixed_names(plan)
            agree_to_losses(self.terminal, plan.losses, allowed)
            ask("Make all of this?" if plan.is_first else "Apply these changes?")
        except BaseException:
            discard(self.aws, plan)
            raise
        commit = Ahead(lambda: commit_of(self.service.folder))
        parcels, shipment = cargo.parcels(self.service), cargo.shipment(self.service)

        def sending(bucket: Bucket | None) -> None:
            send(self.aws, bucket, parcels, self.progress)
            if cargo.built:
                self.progress.begin("upload", "Pushing images")
            push_images(self.aws, self.service, cargo.built, account=self.aws.identity.account)

        if trial is not None and not plan.is_first:
            from bareboat.aws.rollout import roll_out

            deployment = roll_out(
                self.aws, plan, shipment, trial, send=sending, commit=commit.result(), progress=self.progress
            )
        else:
            deployment = apply(
                self.aws,
                plan,
                send=sending,
                shipment=shipment,
                first=None if self._bucket_is_given() else bucket_template(self.service),
                commit=commit.result(),
                progress=self.progress,
            )
        self._deployed(deployment, cargo)
        self._prune(deployment)

    def _tell_trial(self, trial: Canary | None, plan: Plan) -> None:
        """Say how new versions are tried, before it is asked whether they are wanted."""
        if trial is not None and not plan.is_first and any(change.succeeds for change in plan.changes):
            self.terminal.say(
                f"canary: new versions behind an alias get {trial} first, and are taken back if they fail"
            )

    def _tell_bucket(self, plan: Plan) -> None:
        """Warn of what a bucket of provider.deploymentBucket lacks."""
        from bareboat.aws.bucket import bucket_notes
        from bareboat.errors import RemoteError

        bucket = plan.live.bucket
        if bucket is None or bucket.own:
            return
        try:
            self.terminal.notes(bucket_notes(self.aws, bucket))
        except RemoteError as error:
            self.terminal.log(f"the bucket {bucket.name} was not looked at: {error}")

    def _trial(self, canary: str | None) -> Canary | None:
        """Return how new versions are tried."""
        if canary is None and not self.service.custom_bareboat.get("canary"):
            return None
        from bareboat.aws.rollout import canary_of

        return canary_of(self.service, canary)

    def _prune(self, deployment: Deployment) -> None:
        """Remove versions that are too many by now; what stands in the way of that fails no deployment."""
        from bareboat.aws.prune import prune_after
        from bareboat.errors import RemoteError

        bucket = deployment.bucket
        if deployment.record is None or deployment.plan.is_first or bucket is None:
            return
        try:
            pruned = prune_after(self.aws, self.service, bucket, deployment.plan.template)
        except RemoteError as error:
            self.terminal.warning(f"old versions are not pruned: {error}")
            return
        if pruned.versions:
            from bareboat.aws.versions import names_of

            self.terminal.log(f"pruned version {names_of(pruned.versions)}")

    def show_plan(self, *, wait: bool, canary: str | None) -> None:
        """Show what would change."""
        from bareboat.aws.plan import discard
        from bareboat.aws.refill import find_lack
        from bareboat.cli.changes import plan_document, show_changes

        trial = self._trial(canary)
        _, plan = self._planned(wait=wait, ask=None)
        discard(self.aws, plan)
        if plan.is_empty and (lack := find_lack(plan.live.bucket, self.keys_then.result(), plan.template)) is not None:
            self.terminal.warning(f"s3://{lack.bucket.name} lacks {lack.text}: a deploy puts it back")
        self.progress.close()
        show_changes(self.terminal, plan, is_result=True)
        self._tell_trial(trial, plan)
        if self.terminal.as_json:
            self.terminal.document(plan_document(plan))
        elif not plan.is_empty:
            self.terminal.next(self.again)

    def _planned(self, *, wait: bool, ask: Any) -> tuple[Cargo, Plan]:
        """Build, look at AWS in the meantime, and have the changes worked out."""
        from functools import partial

        from bareboat.aws.cargo import load, with_images
        from bareboat.aws.client import AwsError
        from bareboat.aws.live import is_overtaken, look, prepared
        from bareboat.aws.plan import make_plan
        from bareboat.aws.refill import keys_there
        from bareboat.aws.template.build import make_template
        from bareboat.aws.together import Ahead
        from bareboat.cli.aws import show_account
        from bareboat.cli.cloud import tell_built
        from bareboat.cli.locked import tell_lock
        from bareboat.errors import RemoteError
        from bareboat.packaging.lock import LOCK, read_lock

        functions = [one.full_name for one in self.service.functions.values()]
        lock = self.service.folder / LOCK
        before = read_lock(lock)
        with self.terminal.progress("Packaging") as step:
            cargo = load(self.service, locking=self.locking, on_step=step)
        tell_built(self.terminal, cargo.artifacts)
        tell_lock(self.terminal, before, read_lock(lock))
        first, keys = self.live_then.result()
        live = first
        if self.live_then.age_s > FRESH_S:  # building took its time: somebody may have deployed since
            live = look(self.aws, self.service, functions)
        account = live.stack.account if live.stack else self.aws.identity.account
        show_account(self.terminal, self.service, self.aws, account=account)
        if self.service.image_functions:
            with self.terminal.progress("Packaging images") as step:
                cargo = with_images(self.aws, self.service, cargo, account=account, on_step=step)
        template = make_template(self.service, cargo.shipment(self.service))
        for _ in range(5):
            live = prepared(
                self.aws, self.service, live, functions=functions, wait=wait, ask=ask, progress=self.progress
            )
            self.keys_then = keys if live is first else Ahead(partial(keys_there, self.aws, live.bucket))
            try:
                return cargo, make_plan(self.aws, self.service, template, live, progress=self.progress)
            except AwsError as error:
                if not is_overtaken(error):
                    raise
                live = look(self.aws, self.service, functions)  # somebody began in between
        raise RemoteError(
            f"others keep changing {self.service.provider.stack_name}",
            expected="a stack at rest",
            fix="try again later",
        )

    def _bucket_is_given(self) -> bool:
        from bareboat.aws.bucket import bucket_name_of

        return bool(bucket_name_of(self.service))

    def _unchanged(self, plan: Plan, cargo: Cargo) -> None:
        from bareboat.aws.cargo import endpoints

        self._refill(plan, cargo)
        assert plan.live.stack is not None
        addresses = endpoints(plan.live.stack.outputs)
        self.terminal.result(
            {"stack": plan.stack_name, "changed": False, "endpoints": addresses},
            f"{plan.stack_name}: nothing changes; it runs what is here",
        )

    def _refill(self, plan: Plan, cargo: Cargo) -> None:
        """Put back into the bucket what it lost of what the stack runs."""
        from bareboat.aws.cargo import send
        from bareboat.aws.commit import commit_of
        from bareboat.aws.refill import find_lack, refill

        lack = find_lack(plan.live.bucket, self.keys_then.result(), plan.template)
        if lack is None:
            return
        parcels, shipment = cargo.parcels(self.service), cargo.shipment(self.service)
        record = refill(
            self.aws,
            self.service,
            lack,
            plan.template,
            shipment,
            send=lambda bucket: send(self.aws, bucket, parcels, self.progress),
            commit=commit_of(self.service.folder),
        )
        version = f" (version {record.number})" if record is not None else ""
        self.progress.close()
        self.terminal.warning(f"s3://{lack.bucket.name} lacked {lack.text}: put back{version}")

    def _deployed(self, deployment: Deployment, cargo: Cargo) -> None:
        from bareboat.aws.cargo import endpoints
        from bareboat.aws.template.alarms import lacks_alarms
        from bareboat.cli.changes import outcomes, plan_document, summary
        from bareboat.cli.endpoints import Reached

        self.progress.close()
        plan, record = deployment.plan, deployment.record
        reached = Reached(self.aws, self.service, deployment.stack, plan.template, cargo.artifacts)
        flags = self.source.flags
        hints = [*([reached.curl] if reached.curl else []), f"bareboat smoke{flags}", f"bareboat logs{flags} --follow"]
        if self.terminal.as_json:
            self.terminal.document(
                {
                    **plan_document(plan),
                    "changed": True,
                    "version": record.number if record is not None else None,
                    "swapped": list(deployment.swapped),
                    "routes": reached.documents(),
                    "endpoints": endpoints(deployment.outputs),
                    "outputs": dict(deployment.outputs),
                    "next": hints,
                }
            )
        else:
            version = f", version {record.number}" if record is not None else ""
            self.terminal.write(f"{plan.stack_name} is deployed{version}: {summary(plan)}")
            for line in (*outcomes(plan), *reached.lines()):
                self.terminal.write(line)
        if plan.left is not None:
            self.terminal.warning(plan.left.text)
        if plan.is_first and lacks_alarms(self.service):
            self.terminal.note("custom.bareboat.alarms makes alarms on errors, throttles and spend (docs/template.md)")
        self.terminal.next(*hints)

    def swap(self, name: str) -> None:
        """Swap the code of one function."""
        from bareboat.aws.cargo import load
        from bareboat.aws.code_swap import put_code
        from bareboat.cli.aws import show_account
        from bareboat.cli.cloud import tell_built

        with self.terminal.progress("Packaging") as step:
            cargo = load(self.service, function=name, locking=self.locking, on_step=step)
        tell_built(self.terminal, cargo.artifacts)
        live, _ = self.live_then.result()
        show_account(self.terminal, self.service, self.aws, account=live.stack.account if live.stack else "")
        swapped = put_code(self.aws, self.service, name, cargo, live, progress=self.progress)
        self.progress.close()
        for note in swapped.notes:
            self.terminal.warning(note)
        text = "runs the new code" if swapped.sent else "runs this code already"
        self.terminal.result(
            {"function": name, "name": swapped.function, "changed": swapped.sent, "code_sha256": swapped.code_sha256},
            f"{swapped.function} {text}",
        )
        if swapped.sent:
            self.terminal.note("`bareboat deploy` makes it a version that rollback knows")
        flags = self.source.flags
        self.terminal.next(f"bareboat invoke{flags} -f {name}", f"bareboat logs{flags} -f {name} --follow")
