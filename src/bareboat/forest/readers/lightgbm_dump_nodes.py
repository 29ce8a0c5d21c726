"""A LightGBM JSON dump as types, for msgspec. Imported by the reader alone, when there is a dump to read."""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, forbid_unknown_fields=True):
    """A split, or a leaf when it has no children. Numbers are printed in full precision (17 digits)."""

    split_index: int | None = None
    split_feature: int = -1
    split_gain: float = 0.0
    threshold: float | str = 0.0
    decision_type: str = ""
    default_left: bool = False
    missing_type: str = ""
    internal_value: float = 0.0
    internal_weight: float = 0.0
    internal_count: int = -1
    left_child: Node | None = None
    right_child: Node | None = None
    leaf_index: int = 0
    leaf_value: float | None = None
    leaf_weight: float = 0.0
    leaf_count: int = -1
    leaf_const: float | None = None
    leaf_features: list[int] = []
    leaf_coeff: list[float] = []


class TreeInfo(msgspec.Struct, forbid_unknown_fields=True):
    """A tree."""

    num_leaves: int
    tree_structure: Node
    tree_index: int = 0
    num_cat: int = 0
    shrinkage: float = 1.0


class FeatureInfo(msgspec.Struct, forbid_unknown_fields=True):
    """What a feature was trained on: a range, or codes."""

    min_value: float
    max_value: float
    values: list[int] = []


class Dump(msgspec.Struct, forbid_unknown_fields=True):
    """The document."""

    name: str
    version: str
    num_class: int
    num_tree_per_iteration: int
    max_feature_idx: int
    feature_names: list[str]
    tree_info: list[TreeInfo]
    label_index: int = 0
    objective: str | None = None
    average_output: bool = False
    monotone_constraints: list[int] = []
    feature_infos: dict[str, FeatureInfo] = {}
    feature_importances: dict[str, float] = {}
    pandas_categorical: list[list[str | int | float | bool]] | None = None
