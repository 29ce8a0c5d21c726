"""What was used -> what it costs, by list prices, each with where it comes from and of when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

REGION = "us-east-1"
FREE_REQUESTS, FREE_GB_S = 1_000_000, 400_000
FREE_TIER = (
    f"Lambda's free tier, {FREE_REQUESTS:,} requests and {FREE_GB_S:,} GB-s a month for all functions of the account"
)

Item = Literal["lambda_requests", "lambda_gb_s_x86_64", "lambda_gb_s_arm64", "http_api_requests", "rest_api_requests"]


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in USD.

    Args:
        unit: what a quantity counts.
        tiers: (up to how many a month, price of one), rising; the last has no end.
        source, date: where the figure comes from, and of when that is.
    """

    name: str
    unit: str
    tiers: tuple[tuple[float, float], ...]
    source: str
    date: str

    @property
    def first(self) -> float:
        """The price of the first unit of a month."""
        return self.tiers[0][1]

    def of(self, quantity: float) -> float:
        """Return what a month's quantity costs, USD."""
        total, below = 0.0, 0.0
        for upto, price in self.tiers:
            total += max(min(quantity, upto) - below, 0.0) * price
            below = upto
        return total


_END = float("inf")
_M, _B = 1e6, 1e9
_LAMBDA = "aws.amazon.com/lambda/pricing"
PRICES: Mapping[Item, Price] = {
    "lambda_requests": Price("Lambda requests", "requests", ((_END, 0.20 / _M),), _LAMBDA, "2026"),
    "lambda_gb_s_x86_64": Price(
        "Lambda duration, x86_64",
        "GB-s",
        ((6 * _B, 0.0000166667), (15 * _B, 0.0000150000), (_END, 0.0000133334)),
        "cloudchipr.com, and " + _LAMBDA,
        "2024",
    ),
    "lambda_gb_s_arm64": Price(
        "Lambda duration, arm64",
        "GB-s",
        ((7.5 * _B, 0.0000133334), (_END, 0.0000120001)),
        "cloudchipr.com, and " + _LAMBDA,
        "2024",
    ),
    "http_api_requests": Price(
        "HTTP API requests", "requests", ((300 * _M, 1.00 / _M), (_END, 0.90 / _M)), "amnic.com", "2026"
    ),
    "rest_api_requests": Price(
        "REST API requests",
        "requests",
        ((333 * _M, 3.50 / _M), (1000 * _M, 2.80 / _M), (20_000 * _M, 2.38 / _M), (_END, 1.51 / _M)),
        "amnic.com; awsforengineers.com",
        "2025-05 to 2026",
    ),
}


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item of a bill.

    Args:
        price_usd: of the first unit of a month.
    """

    item: str
    quantity: float
    unit: str
    price_usd: float
    cost_usd: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used in a month so far, at list prices, before any free tier.

    Args:
        since: the begin of the month, UTC, seconds since 1970.
        is_exact: whether GB-s are the sum of what Lambda reports as billed; else they are estimated from durations,
            without the init of cold starts.
        is_priced_here: whether the prices are those of the region; else they are those of us-east-1.
    """

    since: float
    lines: tuple[CostLine, ...]
    is_exact: bool
    is_priced_here: bool

    @property
    def total_usd(self) -> float:
        """All together."""
        return sum(line.cost_usd for line in self.lines)

    @property
    def is_within_free_tier(self) -> bool:
        """Whether Lambda's free tier would bear all of Lambda, if nothing else in the account used it."""
        requests = sum(line.quantity for line in self.lines if line.item == PRICES["lambda_requests"].name)
        gb_s = sum(line.quantity for line in self.lines if line.unit == "GB-s")
        return requests <= FREE_REQUESTS and gb_s <= FREE_GB_S


def cost_of(
    used: Mapping[Item, float], *, since: float, region: str, is_exact: bool, items: Sequence[Item] = tuple(PRICES)
) -> Cost:
    """Return the bill of a month's use; an item of which nothing was used is left out."""
    lines = []
    for item in items:
        quantity = used.get(item, 0.0)
        if quantity:
            price = PRICES[item]
            lines.append(
                CostLine(price.name, quantity, price.unit, price.first, price.of(quantity), price.source, price.date)
            )
    return Cost(since, tuple(lines), is_exact, region == REGION)
