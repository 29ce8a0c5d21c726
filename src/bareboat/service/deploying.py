"""`custom.bareboat`: how new versions are tried, how many old ones are kept, whose the bucket is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bareboat.errors import ConfigurationError
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report

_CANARY = re.compile(r"(\d+(?:\.\d+)?)%/(\d+)([smh])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST_S = 12 * 3600
CANARY_EXPECTED = "a share over 0% and under 100%, and a time of at most 12h, such as 10%/5m"


@dataclass(frozen=True, slots=True)
class Canary:
    """How new versions are tried: `10%/5m` is a share of 0.1 for 300 seconds."""

    share: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.share * 100:g}% of the calls for {self.seconds:g} s"


def parse_canary(text: str, where: str = "") -> Canary:
    """Read `10%/5m`.

    Raises:
        ConfigurationError: it is something else.
    """
    found = _CANARY.match(text.replace(" ", ""))
    share, seconds = (float(found[1]) / 100, int(found[2]) * _SECONDS[found[3]]) if found else (0.0, 0)
    if not 0 < share < 1 or not 0 < seconds <= _LONGEST_S:
        raise ConfigurationError(f"the canary is {text!r}", expected=CANARY_EXPECTED, fix="10%/5m", where=where)
    return Canary(share, float(seconds))


def check_deploying(custom: Node | None, report: Report) -> None:
    """Say what is wrong with `canary`, `keep` and `bucketOwner`.

    Args:
        custom: `custom.bareboat`.
    """
    if custom is None or not custom.is_mapping:
        return
    canary, keep, owner = (custom.get(name) for name in ("canary", "keep", "bucketOwner"))
    if canary is not None and canary.value not in (None, False) and not canary.state:
        try:
            parse_canary(str(plain(canary)))
            report.value("custom.bareboat.canary", canary.value, canary)
        except ConfigurationError as error:
            found = error.problems[0]
            said = f"custom.bareboat.canary is {plain(canary)!r}"
            report.problems.add(canary.place, said, expected=found.expected, fix=found.fix)
    if keep is not None and keep.value is not None and not keep.state:
        if isinstance(keep.value, int) and not isinstance(keep.value, bool) and keep.value >= 0:
            report.value("custom.bareboat.keep", keep.value, keep)
        else:
            said = f"custom.bareboat.keep is {plain(keep)!r}"
            report.problems.add(keep.place, said, expected="a whole number of versions beside the live one", fix="5")
    if owner is not None and owner.value is not None and not owner.state:
        text = owner.text or str(owner.value)
        if owner.is_mapping or not re.fullmatch(r"\d{12}", text) or not isinstance(owner.value, str):
            said = f"custom.bareboat.bucketOwner is {text}"
            report.problems.add(owner.place, said, expected="an account of 12 digits, in quotes")
