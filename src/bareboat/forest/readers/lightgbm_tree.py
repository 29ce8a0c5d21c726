"""One `Tree=` block of a LightGBM model -> Tree."""

from __future__ import annotations

from itertools import pairwise

from bareboat.forest.ir import CategorySet, LinearLeaf, Rule, Tree
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Fields, ModelText
from bareboat.forest.structure import structure_fault

_TREE = """
num_leaves num_cat split_feature split_gain threshold decision_type left_child right_child leaf_value leaf_weight
leaf_count internal_value internal_weight internal_count cat_boundaries cat_threshold is_linear leaf_const
num_features leaf_features leaf_coeff shrinkage
"""
TREE_KEYS = frozenset(_TREE.split())

# decision_type: bit 0 categorical, bit 1 default left, bits 2-3 missing type (0 None, 1 Zero, 2 NaN).
# Source: include/LightGBM/tree.h. A categorical split ignores the other bits.
_RULES: tuple[Rule | None, ...] = (
    Rule.MISSING_IS_ZERO,
    Rule.CATEGORY,
    Rule.MISSING_IS_ZERO,
    Rule.CATEGORY,
    Rule.ZERO_RIGHT,
    Rule.CATEGORY,
    Rule.ZERO_LEFT,
    Rule.CATEGORY,
    Rule.NAN_RIGHT,
    Rule.CATEGORY,
    Rule.NAN_LEFT,
    Rule.CATEGORY,
    None,
    None,
    None,
    None,
)


def read_tree(text: ModelText, number: int, size: int, n_trees: int, n_features: int, output: int) -> Tree:
    """Read tree `number`, whose text must be `size` bytes long.

    Raises:
        ModelError: the block is cut off, or its counts, indices or children contradict each other.
    """
    owner = f"Tree={number} of {n_trees} trees"
    start, first = text.offset, text.line
    line = text.next_line()
    if line is None:
        raise text.cut_off(owner)
    if line != b"Tree=%d" % number:
        found = "the end of the trees" if line == b"end of trees" else repr(line[:40].decode())
        raise text.error(first, f"{found} instead of Tree={number}", f"{n_trees} trees, as tree_sizes says", SAVE_AGAIN)
    fields = text.fields(TREE_KEYS, owner)
    _skip_blank(text, owner)
    if text.offset - start != size:
        raise text.error(
            first,
            f"Tree={number} is {text.offset - start} bytes long",
            expected=f"{size}, as tree_sizes says",
            fix=f"{SAVE_AGAIN}; an editor or a transfer as text may have changed its line ends",
        )
    return _tree(text, fields, n_features, output)


def _skip_blank(text: ModelText, owner: str) -> None:
    line = text.next_line()
    if line is None:
        raise text.cut_off(owner)
    if line:
        raise text.error(text.line - 1, f"{line[:40].decode()!r} after {owner}", "an empty line", SAVE_AGAIN)


def _tree(text: ModelText, fields: Fields, n_features: int, output: int) -> Tree:
    n_leaves = text.integer(fields.need("num_leaves"), at_least=1)
    leaf_value = text.numbers(fields.need("leaf_value"), n_leaves)
    linear = _linear_leaves(text, fields, n_leaves, n_features)
    n_splits = n_leaves - 1
    if n_splits == 0:
        return Tree((), (), (), (), (), leaf_value, output=output, linear=linear)
    feature = _features(text, fields, "split_feature", n_splits, n_features)
    left = text.integers(fields.need("left_child"), n_splits)
    right = text.integers(fields.need("right_child"), n_splits)
    fault = structure_fault(left, right, n_leaves)
    if fault:
        raise text.error(fields.need("left_child"), fault, "children that form one tree", SAVE_AGAIN)
    rule = _rules(text, fields, n_splits)
    threshold = text.numbers(fields.need("threshold"), n_splits, infinite=True)
    categories: tuple[int, ...] = (0,) * n_splits
    if text.integer(fields.need("num_cat")) or Rule.CATEGORY in rule:
        categories = _category_sets(text, fields, rule, threshold)
        threshold = [0.0 if each is Rule.CATEGORY else cut for each, cut in zip(rule, threshold, strict=True)]
    return Tree(
        feature=tuple(feature),
        rule=tuple(rule),
        threshold=tuple(threshold),
        categories={split: CategorySet(bits) for split, bits in enumerate(categories) if rule[split] is Rule.CATEGORY},
        output=output,
        left=tuple(left),
        right=tuple(right),
        leaf_value=tuple(leaf_value),
        linear=linear,
    )


def _features(text: ModelText, fields: Fields, key: str, count: int, n_features: int) -> list[int]:
    features = text.integers(fields.need(key), count)
    if features and not 0 <= min(features) <= max(features) < n_features:
        wrong = next(feature for feature in features if not 0 <= feature < n_features)
        raise text.error(fields.need(key), f"feature {wrong} in {key}", f"0 to {n_features - 1}", SAVE_AGAIN)
    return features


def _rules(text: ModelText, fields: Fields, n_splits: int) -> list[Rule]:
    field = fields.need("decision_type")
    rules: list[Rule] = []
    for place, code in enumerate(text.integers(field, n_splits)):
        rule = _RULES[code] if 0 <= code < len(_RULES) else None
        if rule is None:
            raise text.error(field, f"{code} as number {place + 1} of decision_type", "0 to 11", SAVE_AGAIN)
        rules.append(rule)
    return rules


def _category_sets(text: ModelText, fields: Fields, rule: list[Rule], threshold: list[float]) -> tuple[int, ...]:
    """Return each split's set as the bits of an integer; a categorical split's threshold is the set's number."""
    n_sets = text.integer(fields.need("num_cat"))
    if not n_sets:
        raise text.error(fields.need("num_cat"), "num_cat=0 with categorical splits", "their number", SAVE_AGAIN)
    boundaries = text.integers(fields.need("cat_boundaries"), n_sets + 1)
    if boundaries[0] != 0 or any(a > b for a, b in pairwise(boundaries)):
        raise text.error(
            fields["cat_boundaries"], "cat_boundaries that do not rise from 0", "rising from 0", SAVE_AGAIN
        )
    field = fields.need("cat_threshold")
    words = text.integers(field, boundaries[-1])
    if words and not 0 <= min(words) <= max(words) < 1 << 32:
        raise text.error(field, "a number in cat_threshold that is not of 32 bits", "0 to 4294967295", SAVE_AGAIN)
    bits = b"".join(word.to_bytes(4, "little") for word in words)
    sets = [int.from_bytes(bits[4 * a : 4 * b], "little") for a, b in pairwise(boundaries)]
    result: list[int] = []
    for place, (each, cut) in enumerate(zip(rule, threshold, strict=True)):
        if each is not Rule.CATEGORY:
            result.append(0)
        elif 0 <= cut < n_sets and cut.is_integer():
            result.append(sets[int(cut)])
        else:
            raise text.error(
                fields.need("threshold"),
                f"{cut} as number {place + 1} of threshold, a categorical split",
                expected=f"the number of a set, 0 to {n_sets - 1}",
                fix=SAVE_AGAIN,
            )
    return tuple(result)


def _linear_leaves(text: ModelText, fields: Fields, n_leaves: int, n_features: int) -> tuple[LinearLeaf, ...] | None:
    if "is_linear" not in fields or text.integer(fields["is_linear"]) == 0:
        return None
    constants = text.numbers(fields.need("leaf_const"), n_leaves)
    counts = text.integers(fields.need("num_features"), n_leaves)
    if min(counts) < 0:
        raise text.error(fields["num_features"], f"{min(counts)} in num_features", "counts", SAVE_AGAIN)
    features = _features(text, fields, "leaf_features", sum(counts), n_features)
    coefficients = text.numbers(fields.need("leaf_coeff"), sum(counts))
    leaves: list[LinearLeaf] = []
    at = 0
    for constant, count in zip(constants, counts, strict=True):
        leaves.append(LinearLeaf(constant, tuple(features[at : at + count]), tuple(coefficients[at : at + count])))
        at += count
    return tuple(leaves)
