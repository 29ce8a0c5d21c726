"""The shares of calls that aliases send to a second version, read at Lambda itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.progress import Progress
from bareboat.errors import Problem, RemoteError


def aliased(aws: Aws, name: str, alias: str) -> tuple[str, dict[str, float]]:
    """Return the version that an alias points to, and the shares of others.

    Raises:
        AwsError: AWS refuses; there is no such alias.
    """
    said = aws.call("lambda", "get_alias", FunctionName=name, Name=alias)
    weights = (said.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return str(said["FunctionVersion"]), dict(weights)


@dataclass(frozen=True, slots=True)
class LeftShare:
    """An alias that sends a share of the calls to a second version."""

    function: str
    alias: str
    version: str
    share: float
    second: str

    def __str__(self) -> str:
        return (
            f"{self.function}'s alias {self.alias} still sends {self.share:.0%} of its calls to version {self.second}"
        )

    @property
    def fix(self) -> str:
        """What to type so that all calls go to the first version."""
        return (
            f"aws lambda update-alias --function-name {self.function} --name {self.alias} "
            f"--function-version {self.version} --routing-config AdditionalVersionWeights={{}}"
        )


def left_shares(aws: Aws, aliases: Mapping[str, tuple[str, str]]) -> list[LeftShare]:
    """Return the aliases that part their calls; one that cannot be read is left out.

    Args:
        aliases: function name -> (its name on AWS, the name of its alias).
    """
    found = []
    for name, alias in aliases.values():
        try:
            version, weights = aliased(aws, name, alias)
        except AwsError:
            continue
        found += [LeftShare(name, alias, version, share, second) for second, share in weights.items()]
    return found


def refuse_left_shares(aws: Aws, aliases: Mapping[str, tuple[str, str]]) -> None:
    """See that the template without shares, which CloudFormation carried out, left none at Lambda.

    Raises:
        RemoteError: an alias has one.
    """
    problems = tuple(
        Problem(str(each), expected="all calls in one version after the rollout", fix=each.fix)
        for each in left_shares(aws, aliases)
    )
    if problems:
        raise RemoteError(problems[0].found, problems=problems)


@contextmanager
def saying_what_stands(aws: Aws, aliases: Mapping[str, tuple[str, str]], progress: Progress) -> Iterator[None]:
    """Say which share the new versions have, where something fails while they have one."""
    try:
        yield
    except RemoteError:
        left = left_shares(aws, aliases)
        if left:
            progress.note(
                f"{', '.join(each.function for each in left)}: the new version has {left[0].share:.0%} of the calls, "
                "and keeps that: bareboat deploy --canary off gives it all calls, bareboat rollback takes it back"
            )
        raise
