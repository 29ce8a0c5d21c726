"""A gradual rollout (experimental): new versions get a share of the calls first, and are taken back when they fail.

Two deployments of the same stack. In the first the alias that callers go through sends a share to the new version; in
the second it sends all. Both are change sets, so that whoever kills this leaves a stack that `deploy` takes further and
`rollback` takes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.commit import Commit
from bareboat.aws.deploy import TRIES, Deployment, Send, apply, refuse_more
from bareboat.aws.live import is_overtaken, look, prepared
from bareboat.aws.plan import Plan, discard, make_plan
from bareboat.aws.progress import Progress
from bareboat.aws.rollback import contents_of_version
from bareboat.aws.shares import aliased, left_shares, refuse_left_shares, saying_what_stands
from bareboat.aws.shipment import Shipment
from bareboat.aws.stack import Sleep
from bareboat.aws.template.aliases import Rollout, find_aliases
from bareboat.aws.template.build import make_template
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.together import ready, together
from bareboat.aws.versions import read_versions, version_template
from bareboat.errors import BareboatError, ConfigurationError, RemoteError
from bareboat.service.deploying import Canary, parse_canary
from bareboat.service.model import Service

LOOK_EVERY_S = 15.0
SPAN_S = 23 * 3600.0  # CloudWatch gives at most 1,440 minutes at once; a trial takes 12 hours at most
LATE_S = 60.0  # CloudWatch tells of a minute within about one more
# The share of calls that fail may be this much over that of the old version; below it nobody can tell them apart.
MARGIN = 0.01
LEAST_ERRORS = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """What one version did while it was watched."""

    invocations: int = 0
    errors: int = 0

    @property
    def rate(self) -> float:
        """The share of invocations that failed; 0 without any."""
        return self.errors / self.invocations if self.invocations else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One function that is tried.

    Args:
        function: its name in serverless.yml; `name` that on AWS.
        old, new: the numbers of Lambda's versions.
    """

    function: str
    name: str
    alias: str
    old: str
    new: str
    old_counts: Counts = Counts()
    new_counts: Counts = Counts()

    @property
    def verdict(self) -> Literal["worse", "fine", "unknown"]:
        """What the counts say of the new version."""
        if not self.new_counts.invocations:
            return "unknown"
        worse = self.new_counts.errors >= LEAST_ERRORS and self.new_counts.rate > self.old_counts.rate + MARGIN
        return "worse" if worse else "fine"

    def __str__(self) -> str:
        def said(counts: Counts) -> str:
            return f"{counts.errors} of {counts.invocations} calls failed ({counts.rate:.1%})"

        return f"{self.name}: version {self.new}: {said(self.new_counts)}; version {self.old}: {said(self.old_counts)}"


class TakenBackError(BareboatError):
    """A new version failed more often than the old one, and was taken back."""

    def __init__(self, trials: tuple[Trial, ...], deployment: Deployment | None) -> None:
        super().__init__(
            "taken back: " + "; ".join(str(one) for one in trials if one.verdict == "worse"),
            expected="no more errors than the old version has",
            fix="bareboat logs shows them; the old version runs again",
        )
        self.trials = trials
        self.deployment = deployment


def canary_of(service: Service, flag: str | None) -> Canary | None:
    """Return how a deployment is tried: as the flag says ("off" is not at all), else `custom.bareboat.canary`.

    Raises:
        ConfigurationError: it cannot be read, or the service has no alias that callers go through.
    """
    said = service.custom_bareboat.get("canary")
    if flag == "off":
        return None
    if flag is not None:
        parse_canary(flag, "--canary")
    if flag is not None and not said:
        raise ConfigurationError(
            "--canary needs an alias that all callers go through, and the service has none",
            expected="custom.bareboat.canary in serverless.yml",
            fix=f"custom: {{bareboat: {{canary: {flag}}}}}, and a deployment that makes the alias",
            where=str(service.path),
        )
    if flag is not None:
        return parse_canary(flag, "--canary")
    return parse_canary(str(said), str(service.path)) if said else None


def roll_out(  # noqa: PLR0913 - what a deployment takes, and what is watched
    aws: Aws,
    plan: Plan,
    shipment: Shipment,
    canary: Canary,
    *,
    send: Send | None = None,
    commit: Commit = Commit(),  # noqa: B008 - it is a tuple
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> Deployment:
    """Carry a plan out in two steps, with the calls watched in between.

    What does not run behind an alias yet, and what has not changed, is deployed at once.

    Args:
        plan: of the whole deployment, as it was shown and agreed to.
        sleep, clock: seconds; `clock` is seconds since 1970.
    Raises:
        TakenBackError: a new version failed more often than the old one; the stack runs what it ran before.
        DeployError, RemoteError, AwsError: as a deployment raises.
    """
    progress = progress or Progress()
    old = _old_versions(aws, plan, shipment)
    for function, why in untried(plan, old).items():
        del old[function]
        progress.note(f"{function} is deployed at once: {why}")
    if not old:
        progress.note("no function gets a new version behind an alias that is there: everything is deployed at once")
        return apply(aws, plan, send=send, shipment=shipment, commit=commit, progress=progress, sleep=sleep)
    discard(aws, plan)
    trial_template = make_template(plan.service, shipment, rollout=Rollout(canary.share, old))
    first = _step(aws, plan, trial_template, progress, sleep)
    going_back = _way_back(aws, first)
    begun = apply(
        aws, first, send=send, shipment=shipment, commit=commit, action="canary", progress=progress, sleep=sleep
    )
    aliases = {name: each for name, each in _aliases(plan.service, shipment).items() if name in old}
    with saying_what_stands(aws, aliases, progress):
        trials = _trials(aws, aliases, old)
    since = (begun.stack.updated or begun.stack.created).timestamp()
    try:
        trials = watch(aws, trials, canary, since=since, progress=progress, sleep=sleep, clock=clock)
    except RemoteError as error:
        raise RemoteError(
            f"the new versions cannot be watched ({error}): they have {canary.share:.0%} of the calls, and keep that",
            expected="CloudWatch's counts of calls and errors (cloudwatch:GetMetricStatistics)",
            fix="bareboat deploy --canary off gives them all calls, bareboat rollback takes them back",
        ) from error
    if any(one.verdict == "worse" for one in trials):
        progress.note("the new version fails more often than the old one: it is taken back")
        template, contents, number = going_back
        with saying_what_stands(aws, aliases, progress):
            back = _step(aws, plan, template, progress, sleep)
            done = apply(
                aws, back, shipment=contents, action="rollback", restores=number, progress=progress, sleep=sleep
            )
        for left in left_shares(aws, aliases):
            progress.note(f"{left}; {left.fix} ends that")
        raise TakenBackError(trials, done)
    for one in trials:
        note = (
            f"{one.name}: version {one.new} got no calls: nothing was learned" if one.verdict == "unknown" else str(one)
        )
        progress.note(note)
    with saying_what_stands(aws, aliases, progress):
        second = _step(aws, plan, plan.template, progress, sleep)
        done = apply(aws, second, shipment=shipment, commit=commit, progress=progress, sleep=sleep)
    refuse_left_shares(aws, aliases)
    return done


def _step(aws: Aws, agreed: Plan, template: Mapping[str, Any], progress: Progress, sleep: Sleep) -> Plan:
    """Plan one step on what there is now, once nobody else is at work on it.

    Args:
        agreed: the plan that was shown: what it does not lose, no step may.
    Raises:
        RemoteError: the step would lose more, or the stack is gone or does not come to rest.
        AwsError: AWS refuses.
    """
    service = agreed.service
    names = [one.full_name for one in service.functions.values()]
    for _ in range(TRIES):
        live = look(aws, service, names)
        live = prepared(aws, service, live, functions=names, progress=progress, sleep=sleep)
        try:
            step = make_plan(aws, service, template, live, settings=agreed.settings, progress=progress, sleep=sleep)
        except AwsError as error:
            if not is_overtaken(error):
                raise
            continue
        if step.is_first:
            raise RemoteError(
                f"somebody else removed {agreed.stack_name} in the meantime",
                expected="the stack that was looked at",
                fix="bareboat deploy again",
            )
        try:
            refuse_more(agreed, step)
        except RemoteError:
            discard(aws, step)
            raise
        return step
    raise RemoteError(
        f"others keep changing {agreed.stack_name}", expected="a stack at rest", fix="bareboat deploy again"
    )


def untried(plan: Plan, functions: Iterable[str]) -> dict[str, str]:
    """Return the functions of which Lambda lets no alias part the calls between two versions, with why.

    Lambda API reference, AliasRoutingConfiguration: both versions have the same role and the same dead letter queue,
    and the alias no provisioned concurrency.
    """
    from bareboat.aws.template import naming

    there, here = ((each or {}).get("Resources") or {} for each in (plan.live.template, plan.template))
    found = {}
    for name in functions:
        logical_id = naming.function_id(name)
        old, new = ((each.get(logical_id) or {}).get("Properties") or {} for each in (there, here))
        everything = {**plan.service.functions, **plan.service.image_functions}
        if everything[name].options.get("provisionedConcurrency"):
            found[name] = "an alias with provisioned concurrency has one version alone"
        elif old.get("Role") != new.get("Role"):
            found[name] = "its role is another one, and calls are parted between versions of one role alone"
        elif old.get("DeadLetterConfig") != new.get("DeadLetterConfig"):
            found[name] = "its onError changes, and calls are parted between versions of one dead letter queue alone"
    return found


def watch(
    aws: Aws,
    trials: tuple[Trial, ...],
    canary: Canary,
    *,
    since: float,
    progress: Progress,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
    late_s: float = LATE_S,
) -> tuple[Trial, ...]:
    """Watch what the new versions do, and return what was counted; the wait ends early when one is worse.

    Args:
        since: when they got their share, in seconds since 1970 by AWS's clock: that of this machine may be wrong.
    Raises:
        AwsError: CloudWatch refuses.
    """
    began = clock()
    progress.begin("watch", f"Trying the new versions with {canary}, and {late_s:g} s more for counts that come late")
    ends = began + canary.seconds + late_s
    while True:
        trials = tuple(together([partial(_counted, aws, one, since, since + SPAN_S) for one in trials]))
        left_s = ends - clock()
        if left_s <= 0 or any(one.verdict == "worse" for one in trials):
            return trials
        sleep(min(LOOK_EVERY_S, left_s))


def count(aws: Aws, trial: Trial, version: str, since: float, until: float) -> Counts:
    """Return how often a version was called through the alias and failed, by CloudWatch.

    Args:
        since, until: seconds since 1970.
    Raises:
        AwsError: CloudWatch refuses.
    """
    dimensions = [
        {"Name": "FunctionName", "Value": trial.name},
        {"Name": "Resource", "Value": f"{trial.name}:{trial.alias}"},
        {"Name": "ExecutedVersion", "Value": version},
    ]
    found = {}
    for metric in ("Invocations", "Errors"):
        said = aws.call(
            "cloudwatch",
            "get_metric_statistics",
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=_minute(since),
            EndTime=_minute(until) + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        found[metric] = int(sum(point["Sum"] for point in said.get("Datapoints") or ()))
    return Counts(found["Invocations"], found["Errors"])


def _counted(aws: Aws, trial: Trial, since: float, until: float) -> Trial:
    return replace(
        trial,
        old_counts=count(aws, trial, trial.old, since, until),
        new_counts=count(aws, trial, trial.new, since, until),
    )


def _minute(at: float) -> datetime:
    """Return the minute that a time is in: CloudWatch counts by whole ones."""
    return datetime.fromtimestamp(at // 60 * 60, UTC)


def _aliases(service: Service, shipment: Shipment) -> dict[str, tuple[str, str]]:
    """Return function name -> (its name on AWS, the name of the alias that callers go through)."""
    draft = Draft(service, shipment)
    find_aliases(draft)
    functions = {**service.functions, **service.image_functions}
    return {name: (functions[name].full_name, alias) for name, (_, alias) in draft.aliases.items() if name in functions}


def _old_versions(aws: Aws, plan: Plan, shipment: Shipment) -> dict[str, str]:
    """Return function name -> the version that its alias has now, of those that get a new version."""
    if plan.is_first:
        return {}
    added = {one.logical_id for one in plan.changes if one.type == "AWS::Lambda::Version" and one.kind == "add"}
    resources = plan.template.get("Resources", {})
    changed = {_function_of(resources[name]) for name in added if name in resources}
    aliases = _aliases(plan.service, shipment)
    ready(aws, ("lambda", "cloudwatch"))
    found = together([partial(_points_to, aws, name, alias) for name, alias in aliases.values()])
    from bareboat.aws.template import naming

    return {
        function: version
        for function, version in zip(aliases, found, strict=True)
        if version and naming.function_id(function) in changed
    }


def _function_of(version: Mapping[str, Any]) -> str:
    """Return the logical id of the function that a Version resource is of; "" where that cannot be told."""
    said = version.get("Properties", {}).get("FunctionName")
    return str(said.get("Ref", "")) if isinstance(said, Mapping) else ""


def _points_to(aws: Aws, name: str, alias: str) -> str:
    try:
        return aliased(aws, name, alias)[0]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return ""
        raise


def _trials(aws: Aws, aliases: Mapping[str, tuple[str, str]], old: Mapping[str, str]) -> tuple[Trial, ...]:
    trials = []
    for function, (name, alias) in aliases.items():
        _, weights = aliased(aws, name, alias)
        if weights:
            trials.append(Trial(function, name, alias, old[function], next(iter(weights))))
    return tuple(trials)


def _way_back(aws: Aws, plan: Plan) -> tuple[Json, Any, int | None]:
    """Return the template that runs now, its code for the record, and its number."""
    live = plan.live
    assert live.template is not None
    if live.bucket is not None:
        version = read_versions(aws, live.bucket, live.template).live
        if version is not None:
            template = version_template(aws, live.bucket, version)
            return template, contents_of_version(version, template, plan.service), int(version.name)
    return dict(live.template), None, None
