"""Forests and rows for the tests of the forest: random ones that no framework would train, and hard rows for any."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bareboat.forest import forest_bytes
from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.layout import ENTRY, HEADER

CATEGORY_RULES = (Rule.CATEGORY, Rule.CATEGORY, Rule.CATEGORY_NOT_NEGATIVE, Rule.CATEGORY_WHOLE)
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
) -> Ensemble:
    """Return a forest with every rule, transform, kind of leaf and of number somewhere among the seeds."""
    rng = random.Random(seed)
    n_features = n_features or rng.randint(1, 6)
    transform = rng.choice(list(Transform))
    n_outputs = rng.choice((2, 3)) if transform is Transform.SAMME else rng.choice((1, 1, 2, 3))
    has_vectors = n_outputs > 1 and rng.random() < 0.3
    single_sum = rng.random() < 0.3
    cuts = {feature: _cuts(rng, n_cuts) for feature in range(n_features)}
    n_codes = {feature: rng.choice((3, 8, 70, 600)) for feature in range(n_features)}
    categorical = {feature for feature in range(n_features) if rng.random() < 0.3}
    width = n_outputs if has_vectors else 1
    makers = {
        "linear": rng.random() < 0.8 if width == 1 and not single_sum and rng.random() < 0.25 else None,
        "width": width,
        "statistics": rng.random() < 0.5,
    }
    n_rounds, a_round = n_trees or rng.randint(1, 4), 1 if has_vectors else rng.choice((n_outputs, n_outputs, 1, 2))
    in_turn = rng.random() < 0.5
    trees = [
        replace(
            _tree(rng, n_leaves or rng.choice((1, 2, 3, 17, 60)), cuts, n_codes, categorical, **makers),
            output=0 if has_vectors else number % n_outputs if in_turn else rng.randrange(n_outputs),
        )
        for number in range(n_rounds * a_round)
    ]
    base = [rng.choice((0.0, -0.0, 0.5, rng.gauss(0.0, 1.0))) if rng.random() < 0.5 else 0.0 for _ in range(n_outputs)]
    joined = Trees.of(trees)
    if single_sum:
        joined = replace(joined, leaf_value=joined.leaf_value.astype(np.float32).astype(np.float64))
        base = [float(np.float32(each)) for each in base]
    return Ensemble(
        feature_names=tuple(f"f{feature}" for feature in range(n_features)),
        categories=(None,) * n_features,
        objective="random",
        source="the tests",
        transform=transform,
        parameters=_parameters(rng, transform),
        n_classes=0,
        n_outputs=n_outputs,
        trees=joined,
        trees_per_round=a_round,
        base=np.array(base),
        average=rng.random() < 0.3,
        single_input=rng.random() < 0.4,
        single_sum=single_sum,
        tiny_is_zero=rng.random() < 0.5,
    )


def small_forests(n_bytes: int = 2500) -> list[Ensemble]:
    """Return forests of small files that together have every section, kind, flag and transform that such files have."""
    files = [(seed, forest_bytes(random_forest(seed))) for seed in range(400)]
    seen: set[tuple[str, int, int]] = set()
    chosen = []
    for seed, data in sorted(files, key=lambda file: (len(file[1]), file[0])):
        if len(data) <= n_bytes and not _properties(data) <= seen:
            seen |= _properties(data)
            chosen.append(seed)
    return [random_forest(seed) for seed in chosen]


def _properties(data: bytes) -> set[tuple[str, int, int]]:
    header = HEADER.unpack_from(data)
    entries = [ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size) for number in range(header[2])]
    flags = {("flag", bit, header[4] >> bit & 1) for bit in range(5)}
    return {("section", entry[0], entry[1]) for entry in entries} | flags | {("transform", header[3], 0)}


def hard_rows(forest: Ensemble, seed: int, n: int) -> list[list[float]]:
    """Return rows whose values lie at, just below and just above thresholds and codes, or are hard by themselves."""
    rng = random.Random(seed)
    pools: list[list[float]] = [list(HARD_VALUES) for _ in range(forest.n_features)]
    trees = forest.trees
    splits = zip(trees.feature.tolist(), trees.set_number.tolist(), trees.threshold.tolist(), strict=True)
    for feature, number, cut in splits:
        if number >= 0:
            code = max((trees.sets[number].codes | trees.sets[number].right).bit_length() - 1, 0)
            pools[feature] += (code, code + 1, code + 0.5, rng.randint(0, code))
        else:
            pools[feature] += (cut, math.nextafter(cut, -math.inf), math.nextafter(cut, math.inf))
            with np.errstate(over="ignore", under="ignore"):
                single = np.float32(cut)
                pools[feature] += map(float, (single, np.nextafter(single, -np.inf), np.nextafter(single, np.inf)))
    return [[float(rng.choice(pool)) for pool in pools] for _ in range(n)]


def _parameters(rng: random.Random, transform: Transform) -> tuple[float, ...]:
    if transform is Transform.ISOLATION:
        return (rng.choice((3.7, 100.0)), -0.5)
    return (rng.choice((1.0, 0.7)) if transform in {Transform.SIGMOID, Transform.SAMME} else 1.0,)


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
    linear: bool | None,
    width: int,
    statistics: bool,
) -> Tree:
    left, right = _shape(rng, n_leaves)
    feature, rule, threshold, categories = [], [], [], {}
    for split in range(n_leaves - 1):
        feature.append(rng.choice(list(cuts)))
        if feature[-1] in categorical and rng.random() < 0.8:
            rule.append(rng.choice(CATEGORY_RULES))
            threshold.append(0.0)
            categories[split] = _set(rng, n_codes[feature[-1]])
        else:
            rule.append(rng.choice([each for each in Rule if not each.is_categorical]))
            threshold.append(rng.choice(cuts[feature[-1]]))
    values = [
        [rng.choice((rng.gauss(0.0, 1.0), 0.0, -0.0, 1e-30, 1e15)) for _ in range(width)] for _ in range(n_leaves)
    ]
    cover = [float(rng.randint(1, 300)) for _ in range(n_leaves)]
    return Tree(
        feature=feature,
        rule=rule,
        threshold=threshold,
        left=left,
        right=right,
        leaf_value=values if width > 1 else [value for (value,) in values],
        categories=categories,
        linear=[_linear_leaf(rng, len(cuts)) for _ in range(n_leaves)] if linear else None,
        leaf_id=rng.sample(range(2 * n_leaves), n_leaves) if statistics else None,
        leaf_cover=cover if statistics else None,
        split_cover=[rng.choice((0.5, 7.0)) for _ in left] if statistics else None,
        split_gain=[rng.gauss(3.0, 2.0) for _ in left] if statistics else None,
    )


def _set(rng: random.Random, n_codes: int) -> CategorySet:
    codes = rng.choice((0, rng.getrandbits(n_codes), 1 << rng.randint(0, 40)))
    others_left = rng.random() < 0.3
    right = rng.getrandbits(n_codes) & ~codes if others_left else 0
    return CategorySet(codes, right, others_left=others_left, nan_left=rng.random() < 0.3)


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


def single_ulps(a: float, b: float) -> float:
    """Return how many float32 lie between two numbers that are exact in it, or 0 when they are equal or both NaN."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / float(np.spacing(np.float32(min(abs(a), abs(b)))))


def outputs_agree(forest: Ensemble, outputs: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether a kernel's outputs are those of the reference: within 1 ulp, since `exp` may differ in its last bit.

    In float32 the kernel takes `expf`, whose last bit passes through two more roundings. LOGISTIC subtracts from 1, so
    that its last bit is that of 1.
    """
    if forest.transform is Transform.LOGISTIC:
        unit = 2.0**-23 if forest.single_sum else 2.0**-52
        pairs = zip(outputs, expected, strict=True)
        return all(abs(x - y) <= unit or (math.isnan(x) and math.isnan(y)) for x, y in pairs)
    if forest.single_sum:
        return max(map(single_ulps, outputs, expected)) <= 2
    return max(map(ulps, outputs, expected)) <= 1
