"""Forest -> the number tables of a `.forest` file: ranks instead of thresholds, leaves from left to right.

Within one feature a split's threshold becomes its place among the feature's sorted thresholds, and a value becomes its
rank, the number of thresholds below it: `value <= threshold[k]` exactly when `rank <= k`. A row is ranked once, the
trees then compare small integers. What a missing value does is decided by the rank too, so a feature has one column
for each rule that its splits use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bareboat.errors import ModelError
from bareboat.forest.ir import Forest, Rule, Tree
from bareboat.forest.layout import MODE_SHIFT
from bareboat.forest.structure import preorder

Column = tuple[int, Rule]
"""(feature, rule)."""

_INT_END = 1 << 31
"""A value is cut to an int of 32 bits, so no larger code is ever met."""


@dataclass(slots=True)
class Tables:
    """The sections of a `.forest` file as numbers; docs/forest-format.md says what each holds."""

    thresholds: list[float] = field(default_factory=list)
    threshold_start: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    leaf_start: list[int] = field(default_factory=lambda: [0])
    node_kind: int = 0
    nodes: list[int] = field(default_factory=list)
    leaf_values: list[float] = field(default_factory=list)
    category_codes: list[int] = field(default_factory=list)
    category_start: list[int] = field(default_factory=list)
    set_start: list[int] = field(default_factory=list)
    set_offset: list[int] = field(default_factory=list)
    sets: bytes = b""
    linear_constant: list[float] = field(default_factory=list)
    linear_start: list[int] = field(default_factory=list)
    linear_feature: list[int] = field(default_factory=list)
    linear_coefficient: list[float] = field(default_factory=list)
    depth: int = 0


def build_tables(forest: Forest) -> Tables:
    """Return the tables of a forest.

    Raises:
        ModelError: more than 2^24 features, or 2^32 leaves, thresholds or bytes of category sets.
    """
    tables = Tables()
    cuts, codes = _cuts_and_codes(forest)
    columns = _columns(forest)
    tables.columns = [rule << MODE_SHIFT | feature for feature, rule in columns]
    tables.threshold_start.append(0)
    for feature in range(forest.n_features):
        tables.thresholds += cuts.get(feature, ())
        tables.threshold_start.append(len(tables.thresholds))
    rank = {feature: {cut: place for place, cut in enumerate(sorted_)} for feature, sorted_ in cuts.items()}
    dense = {feature: {code: place for place, code in enumerate(sorted_)} for feature, sorted_ in codes.items()}
    if codes:
        tables.category_start.append(0)
        for feature in sorted(codes):
            tables.category_codes += codes[feature]
            tables.category_start.append(len(tables.category_codes))
    writer = _TreeWriter(tables, {column: place for place, column in enumerate(columns)}, rank, dense)
    for tree in forest.trees:
        writer.add(tree)
    writer.close(linear=any(tree.linear is not None for tree in forest.trees))
    _check_sizes(forest, tables)
    tables.node_kind = _node_kind(tables, cuts)
    return tables


def _cuts_and_codes(forest: Forest) -> tuple[dict[int, list[float]], dict[int, list[int]]]:
    """Return each feature's sorted distinct thresholds, and each categorical feature's sorted codes in any set."""
    cuts: dict[int, set[float]] = {}
    unions: dict[int, int] = {}
    for tree in forest.trees:
        for feature, rule, threshold, bits in zip(
            tree.feature, tree.rule, tree.threshold, tree.categories, strict=True
        ):
            if rule is Rule.CATEGORY:
                unions[feature] = unions.get(feature, 0) | bits
            else:
                cuts.setdefault(feature, set()).add(threshold + 0.0)  # -0.0 + 0.0 is 0.0
    return (
        {feature: sorted(values) for feature, values in cuts.items()},
        {feature: [code for code in _bits(union) if code < _INT_END] for feature, union in unions.items()},
    )


def _columns(forest: Forest) -> list[Column]:
    """Return the columns in use: numeric ones by feature and rule, then categorical ones by feature."""
    used = {column for tree in forest.trees for column in zip(tree.feature, tree.rule, strict=True)}
    return sorted(used, key=lambda column: (column[1] is Rule.CATEGORY, column))


class _TreeWriter:
    """Appends trees to tables."""

    def __init__(
        self,
        tables: Tables,
        columns: dict[Column, int],
        rank: dict[int, dict[float, int]],
        dense: dict[int, dict[int, int]],
    ) -> None:
        self._tables = tables
        self._columns = columns
        self._rank = rank
        self._dense = dense
        self._sets: list[bytes] = []
        self._set_start = [0]
        self._linear: list[int] = [0]

    def add(self, tree: Tree) -> None:
        """Append one tree's nodes in preorder and its leaves from left to right."""
        tables = self._tables
        splits, leaves, depth = preorder(tree.left, tree.right)
        first_set = len(self._sets)
        nodes = tables.nodes
        for split, first, right in splits:
            feature, rule = tree.feature[split], tree.rule[split]
            if rule is Rule.CATEGORY:
                cut = len(self._sets) - first_set
                self._sets.append(_packed_set(tree.categories[split], self._dense[feature]))
            else:
                cut = self._rank[feature][tree.threshold[split]]
            nodes += (self._columns[feature, rule], cut, first, right)
        tables.depth = max(tables.depth, depth)
        tables.leaf_values += [tree.leaf_value[leaf] for leaf in leaves]
        tables.leaf_start.append(len(tables.leaf_values))
        self._set_start.append(len(self._sets))
        self._add_linear(tree, leaves)

    def _add_linear(self, tree: Tree, leaves: Sequence[int]) -> None:
        tables = self._tables
        for leaf in leaves:
            if tree.linear is None:
                tables.linear_constant.append(tree.leaf_value[leaf])
            else:
                model = tree.linear[leaf]
                tables.linear_constant.append(model.constant)
                tables.linear_feature += model.features
                tables.linear_coefficient += model.coefficients
            self._linear.append(len(tables.linear_feature))

    def close(self, *, linear: bool) -> None:
        """Finish the tables that only some forests have."""
        tables = self._tables
        if linear:
            tables.linear_start = self._linear
        else:
            tables.linear_constant = []
        if self._dense:
            tables.set_start = self._set_start
            tables.sets = b"".join(self._sets)
            tables.set_offset.append(0)
            for packed in self._sets:
                tables.set_offset.append(tables.set_offset[-1] + len(packed))


def _bits(value: int) -> Iterator[int]:
    """Yield the places of the ones of an integer, from the lowest."""
    return (place for place, digit in enumerate(reversed(f"{value:b}")) if digit == "1")


def _packed_set(bits: int, dense: dict[int, int]) -> bytes:
    """Return a set over dense codes, lowest bit first, without trailing zero bytes."""
    value = 0
    for code in _bits(bits):
        if code < _INT_END:
            value |= 1 << dense[code]
    return value.to_bytes((value.bit_length() + 7) // 8, "little")


def _node_kind(tables: Tables, cuts: dict[int, list[float]]) -> int:
    """Return the narrowest node whose fields hold every column, cut, rank and leaf: 0, 1 or 2."""
    widest = max(
        len(tables.columns) - 1,
        max((len(sorted_) for sorted_ in cuts.values()), default=0),
        max(tables.nodes, default=0),
    )
    return 0 if widest <= 0xFF else 1 if widest <= 0xFFFF else 2


def _check_sizes(forest: Forest, tables: Tables) -> None:
    limits = (
        ("features", forest.n_features, 1 << MODE_SHIFT),
        ("leaves", len(tables.leaf_values), 1 << 32),
        ("thresholds", len(tables.thresholds), 1 << 32),
        ("bytes of category sets", len(tables.sets), 1 << 32),
        ("coefficients in linear leaves", len(tables.linear_coefficient), 1 << 32),
    )
    for what, found, limit in limits:
        if found >= limit:
            raise ModelError(f"{found} {what}", expected=f"fewer than {limit}", fix="train a smaller model")
