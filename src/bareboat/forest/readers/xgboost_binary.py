"""XGBoost's deprecated binary models (.model, .deb, .bin) -> a refusal that says how to convert them.

The layout has no version of its own and XGBoost 3.1 reads it no more. It is told by the parameters that it starts
with: LearnerModelParamLegacy of src/learner.cc (1.0 to 3.0).
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.reader import Reader

_HEAD = struct.Struct("<fIiiiII")
"""base_score, num_feature, num_class, contain_extra_attrs, contain_eval_metrics, major_version, minor_version."""
_ZEROS = slice(36, 136)
"""Reserved words of the 136 bytes; num_target and boost_from_average of 1.6 and later stand before them."""
_STARTS = (b"binf", b"bs64", b"CONFIG-offset:")


def _matches(head: bytes) -> bool:
    if head.startswith(_STARTS):
        return True
    if len(head) < _ZEROS.stop or any(head[_ZEROS]):
        return False
    base, _, n_classes, extra, metrics, major, minor = _HEAD.unpack_from(head)
    return (
        math.isfinite(base)
        and 0 <= n_classes < 1 << 20
        and {extra, metrics} <= {0, 1}
        and major <= 3
        and minor < 100
        and _has_objective(head[_ZEROS.stop :])
    )


def _has_objective(rest: bytes) -> bool:
    """Whether a length of 8 bytes and an objective such as `binary:logistic` follow."""
    length = int.from_bytes(rest[:8], "little")
    name = rest[8 : 8 + length]
    return 0 < length < 100 and len(name) == length and name.replace(b":", b"").replace(b"_", b"").isalnum()


def _read(path: Path, _data: bytes) -> Ensemble:
    raise ModelError(
        "an XGBoost model in its deprecated binary format",
        expected="XGBoost's JSON or UBJSON",
        fix="with xgboost 3.0 or earlier: xgboost.Booster(model_file=...).save_model('model.json')",
        where=str(path),
    )


XGBOOST_BINARY = Reader(name="", matches=_matches, read=_read, whole=False)
