"""Forests from files and back, over threads, pickled and without scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor

from bareboat import Forest
from bareboat.errors import InputError, ModelError
from bareboat.forest.scoring import PREDICT, RAW


@pytest.fixture(scope="module")
def forest():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, 5))
    y = np.digitize(x[:, 0] + x[:, 1], [-1, 1])
    return Forest.from_model(GradientBoostingClassifier(n_estimators=8).fit(x, y))


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(7).normal(size=(20_000, 5))


def test_a_saved_forest_is_loaded_as_it_was(forest, rows, tmp_path):
    path = tmp_path / "m.forest"

    forest.save(path)

    for again in (Forest.load(path), Forest.load(str(path)), Forest.from_model(path)):
        assert again.file == forest.file == path.read_bytes()
        assert again.predict(rows).tolist() == forest.predict(rows).tolist()
        assert again.apply(rows[:100]).tolist() == forest.apply(rows[:100]).tolist()


def test_a_pickled_forest_is_the_same_without_its_file(forest, rows):
    again = pickle.loads(pickle.dumps(forest))

    assert again.file == forest.file
    assert again.predict_proba(rows).tolist() == forest.predict_proba(rows).tolist()


def test_what_cannot_be_written_or_read_is_told(forest, tmp_path):
    with pytest.raises(ModelError, match="cannot write the forest"):
        forest.save(tmp_path / "nowhere" / "m.forest")
    with pytest.raises(ModelError, match="cannot read the forest"):
        Forest.load(tmp_path / "nothing.forest")
    with pytest.raises(ModelError, match="cannot read the model file"):
        Forest.from_model(tmp_path / "nothing.txt")


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7, -1])
@pytest.mark.parametrize("n", [0, 1, 255, 257, 5000, 20_000])
def test_the_number_of_threads_changes_no_bit(forest, rows, n_threads, n):
    scorer = forest._opened.scorer

    for what in (RAW, PREDICT):
        expected = scorer.score(rows[:n], what, 1)
        assert expected.shape == (n, 3)
        assert scorer.score(rows[:n], what, n_threads).tobytes() == expected.tobytes()
    assert scorer.leaves(rows[:n], n_threads).tobytes() == scorer.leaves(rows[:n], 1).tobytes()


def test_threads_share_a_forest(forest, rows):
    expected = forest.predict_proba(rows).tobytes()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: forest.predict_proba(rows, n_threads=2).tobytes(), range(12)))

    assert set(found) == {expected}


@pytest.mark.parametrize("n_threads", [0, -2, 1.5, "2"])
def test_a_number_of_threads_that_is_none_is_told(forest, rows, n_threads):
    with pytest.raises(InputError, match="n_threads is"):
        forest.predict(rows, n_threads=n_threads)


def test_rows_in_any_layout_score_alike(forest, rows):
    expected = forest.predict_proba(rows).tobytes()

    assert forest.predict_proba(np.asfortranarray(rows)).tobytes() == expected
    assert forest.predict_proba(np.repeat(rows, 2, axis=1)[:, ::2]).tobytes() == expected
    assert forest.predict_proba(rows[::-1])[::-1].tobytes() == expected
    single = rows.astype(np.float32)
    assert forest.predict_proba(single).tobytes() == forest.predict_proba(single.astype(np.float64)).tobytes()


def test_parameters_are_read_and_set(forest):
    again = Forest.from_ensemble(forest.ensemble, n_threads=2)

    assert again.get_params() == {"n_threads": 2}
    assert again.set_params(n_threads=3).n_threads == 3
    with pytest.raises(ValueError, match="Invalid parameter 'depth' for estimator Forest"):
        again.set_params(depth=3)


def test_a_forest_says_what_it_is(forest):
    assert repr(forest).startswith("Forest(objective='log_loss', source='sklearn ")
    assert (forest.n_features_in_, forest.n_outputs_, forest.n_trees, forest.n_rounds) == (5, 3, 24, 8)
    assert not hasattr(forest, "feature_names_in_")


def test_neither_scikit_learn_nor_pandas_is_needed(tmp_path, rows):
    regressor = RandomForestRegressor(3, max_depth=3, random_state=0).fit(rows[:100], rows[:100, 0])
    Forest.from_model(regressor).save(tmp_path / "m.forest")
    program = f"""
import sys
for name in ("sklearn", "pandas", "scipy", "pyarrow", "polars", "matplotlib", "lightgbm", "xgboost"):
    sys.modules[name] = None
from bareboat import Forest
forest = Forest.load({str(tmp_path / "m.forest")!r})
print(repr(forest.predict([[0.0] * 5]).tolist()), forest.score([[0.0] * 5], forest.predict([[0.0] * 5])))
print(forest.get_params(), len(list(forest.staged_predict([[0.0] * 5]))), forest.feature_importances_.shape)
"""

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    expected = regressor.predict(np.zeros((1, 5))).tolist()
    assert found == f"{expected!r} 1.0\n{{'n_threads': None}} 3 (5,)\n"
