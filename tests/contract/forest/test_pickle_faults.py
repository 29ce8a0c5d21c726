"""What is said of pickles that another Python cannot open: classes of a script, and other versions of scikit-learn."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
import sklearn
from sklearn.linear_model import Ridge

from bareboat.errors import ModelError
from bareboat.forest.readers.child import read_in_child
from bareboat.forest.readers.saved_version import saved_version

FITTED = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
OTHER = b"9.9.9"


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_in_child(path, "pickle")
    assert caught.value.problems[0].where == str(path)
    return str(caught.value)


def of_other_version(data: bytes) -> bytes:
    """Make a pickle one of another scikit-learn that had a class more."""
    here = sklearn.__version__.encode()
    assert data.count(here) == 1
    return data.replace(b"\x8c" + bytes([len(here)]) + here, b"\x8c\x05" + OTHER).replace(b"Ridge", b"Rodge")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, bz2.compress, lzma.compress, zlib.compress],
    ids=["plain", "gzip", "bz2", "xz", "zlib"],
)
def test_the_version_stands_in_the_file(pack: Callable[[bytes], bytes], protocol: int, tmp_path: Path) -> None:
    filler = [bytes(range(256)) * 5000]
    (tmp_path / "a.pkl").write_bytes(pack(pickle.dumps((filler, FITTED), protocol=protocol)))

    assert saved_version(tmp_path / "a.pkl") == sklearn.__version__


def test_joblib_tells_it_too_and_others_tell_nothing(tmp_path: Path) -> None:
    joblib.dump(FITTED, tmp_path / "a.joblib")
    joblib.dump(FITTED, tmp_path / "b.joblib", compress=3)
    (tmp_path / "c").write_bytes(b"\x1f\x8bdamaged")
    (tmp_path / "d").write_bytes(b"_sklearn_version\x94\x8c\x05")

    found = [saved_version(tmp_path / name) for name in ("a.joblib", "b.joblib", "c", "d", "no file")]

    assert found == [sklearn.__version__, sklearn.__version__, "", "", ""]


def test_both_versions_and_the_way_to_the_other_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(of_other_version(pickle.dumps(FITTED, protocol=4)))

    message = refused(tmp_path / "a.pkl")

    assert f"scikit-learn 9.9.9 saved this model, and {sklearn.__version__}, which is installed" in message
    assert "Rodge" in message
    assert "pip install scikit-learn==9.9.9" in message
    assert "BAREBOAT_PYTHON=" in message


def test_a_module_that_scikit_learn_no_longer_has_is_a_matter_of_versions(tmp_path: Path) -> None:
    data = of_other_version(pickle.dumps(FITTED, protocol=4)).replace(b"._ridge", b"._rodge")
    (tmp_path / "a.pkl").write_bytes(data)

    message = refused(tmp_path / "a.pkl")

    assert "scikit-learn 9.9.9 saved this model" in message
    assert "sklearn.linear_model._rodge" in message


def test_a_class_of_a_script_is_told_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02c__main__\nMyScaler\n)\x81.")

    message = refused(tmp_path / "a.pkl")

    assert "MyScaler stood in the script or notebook that saved the model" in message
    assert "move MyScaler into a module" in message
    assert "copy it again" not in message
