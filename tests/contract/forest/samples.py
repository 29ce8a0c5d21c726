"""Forests and rows for the tests of the forest: random ones that no framework would train, and hard rows for any."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from bareboat.forest.ir import Forest, LinearLeaf, Rule, Transform, Tree

TINY = 1.0000000180025095e-35
HARD_VALUES = (
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    TINY,
    -TINY,
    math.nextafter(TINY, 1.0),
    math.nextafter(-TINY, -1.0),
    1e300,
    -1e300,
    -1.0,
    -0.5,
    -0.999999999,
    -3.0,
    3.7,
    2147483647.0,
    2147483647.5,
    2147483648.0,
    4294967296.0,
    1e10,
)


def random_forest(
    seed: int,
    *,
    n_features: int | None = None,
    n_leaves: int | None = None,
    n_cuts: int | None = None,
    n_trees: int | None = None,
) -> Forest:
    """Return a forest with every rule, transform and kind of leaf somewhere among the seeds."""
    rng = random.Random(seed)
    n_features = n_features or rng.randint(1, 6)
    n_outputs = rng.choice((1, 1, 2, 3))
    transform = rng.choice(list(Transform))
    cuts = {feature: _cuts(rng, n_cuts) for feature in range(n_features)}
    n_codes = {feature: rng.choice((3, 8, 70, 600)) for feature in range(n_features)}
    categorical = {feature for feature in range(n_features) if rng.random() < 0.3}
    is_linear = rng.random() < 0.25
    trees = []
    for _ in range(n_outputs * (n_trees or rng.randint(1, 4))):
        leaves = n_leaves or rng.choice((1, 2, 3, 17, 60))
        trees.append(_tree(rng, leaves, cuts, n_codes, categorical, linear=is_linear and rng.random() < 0.8))
    return Forest(
        feature_names=tuple(f"f{feature}" for feature in range(n_features)),
        categories=(None,) * n_features,
        objective="random",
        transform=transform,
        parameter=rng.choice((1.0, 0.7)) if transform is Transform.SIGMOID else 1.0,
        n_classes=0,
        n_outputs=n_outputs,
        trees=tuple(trees),
        average=rng.random() < 0.3,
        tiny_is_zero=rng.random() < 0.5,
        source="the tests",
    )


def hard_rows(forest: Forest, seed: int, n: int) -> list[list[float]]:
    """Return rows whose values lie at, just below and just above thresholds and codes, or are hard by themselves."""
    rng = random.Random(seed)
    pools: list[list[float]] = [list(HARD_VALUES) for _ in range(forest.n_features)]
    for tree in forest.trees:
        for feature, rule, cut, bits in zip(tree.feature, tree.rule, tree.threshold, tree.categories, strict=True):
            if rule is Rule.CATEGORY:
                code = max(bits.bit_length() - 1, 0)
                pools[feature] += (code, code + 1, code + 0.5, rng.randint(0, code))
            else:
                pools[feature] += (cut, math.nextafter(cut, -math.inf), math.nextafter(cut, math.inf))
    return [[float(rng.choice(pool)) for pool in pools] for _ in range(n)]


def _cuts(rng: random.Random, n: int | None) -> list[float]:
    pool = [math.inf, -math.inf, 0.0, -0.0, TINY, -TINY, 5e-324, 1e300, -1e300, 1.0, -2.5]
    drawn = [rng.uniform(-5.0, 5.0) for _ in range(n or rng.randint(0, 40))]
    return drawn if n else pool + drawn


def _tree(
    rng: random.Random,
    n_leaves: int,
    cuts: dict[int, list[float]],
    n_codes: dict[int, int],
    categorical: set[int],
    *,
    linear: bool,
) -> Tree:
    left, right = _shape(rng, n_leaves)
    feature, rule, threshold, categories = [], [], [], []
    for _ in left:
        feature.append(rng.choice(list(cuts)))
        if feature[-1] in categorical and rng.random() < 0.8:
            rule.append(Rule.CATEGORY)
            threshold.append(0.0)
            categories.append(rng.choice((0, rng.getrandbits(n_codes[feature[-1]]), 1 << rng.randint(0, 40))))
        else:
            rule.append(rng.choice(list(Rule)[:5]))
            threshold.append(rng.choice(cuts[feature[-1]]))
            categories.append(0)
    leaf_value = tuple(rng.choice((rng.gauss(0.0, 1.0), 0.0, -0.0, 1e-300, 1e15)) for _ in range(n_leaves))
    models = tuple(_linear_leaf(rng, len(cuts)) for _ in range(n_leaves)) if linear else None
    return Tree(
        tuple(feature), tuple(rule), tuple(threshold), tuple(categories), tuple(left), tuple(right), leaf_value, models
    )


def _shape(rng: random.Random, n_leaves: int) -> tuple[list[int], list[int]]:
    """Grow a tree leaf by leaf, as LightGBM numbers it; chains are as likely as bushes."""
    left: list[int] = []
    right: list[int] = []
    place: list[tuple[list[int], int] | None] = [None]
    chain = rng.random() < 0.3
    while len(place) < n_leaves:
        leaf = len(place) - 1 if chain else rng.randrange(len(place))
        split = len(left)
        at = place[leaf]
        if at is not None:
            at[0][at[1]] = split
        left.append(~leaf)
        right.append(~len(place))
        place[leaf] = (left, split)
        place.append((right, split))
    return left, right


def _linear_leaf(rng: random.Random, n_features: int) -> LinearLeaf:
    features = tuple(rng.randrange(n_features) for _ in range(rng.randint(0, 3)))
    return LinearLeaf(rng.gauss(0.0, 1.0), features, tuple(rng.gauss(0.0, 1.0) for _ in features))


def same_bits(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two rows of numbers are equal to the last bit; any NaN equals any other."""
    return len(a) == len(b) and all(
        x.hex() == y.hex() or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b, strict=True)
    )


def ulps(a: float, b: float) -> float:
    """Return how many representable numbers lie between two finite numbers, or 0 when they are equal or both NaN."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / math.ulp(min(abs(a), abs(b)))
