"""Which functions are called through an alias, and what the alias points to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.targets import functions_of


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment that moves callers to new versions step by step, through the alias `live`.

    Args:
        weight: the share of calls that goes to new versions, over 0 and under 1.
        old: function name -> number of the version that has the rest ("7"). Functions that are not in it, new and
            unchanged ones, go to their new version at once.
    """

    weight: float
    old: Mapping[str, str] = field(default_factory=dict)


def find_aliases(draft: Draft) -> None:
    """Fill `draft.aliases`, before anything asks for a target."""
    for function in functions_of(draft.service):
        if function.options.get("durableConfig"):
            alias = naming.DURABLE
        elif function.options.get("provisionedConcurrency"):
            alias = naming.PROVISIONED
        elif function.options.get("snapStart"):
            alias = naming.SNAPSTART
        elif draft.service.custom_bareboat.get("canary"):
            alias = naming.LIVE
        else:
            continue
        draft.aliases[function.name] = (naming.alias_id(function.name, alias), alias)
