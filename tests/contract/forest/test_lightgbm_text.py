"""The reader, the reference and the kernel against LightGBM itself, which is the oracle of all three."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import lightgbm
import numpy as np
import pytest

from bareboat.forest import Ensemble, read_ensemble, write_forest
from bareboat.forest import reference as slow
from bareboat.runtime.forest import load_forest

ROOT = Path(__file__).parents[3]
IRIS = ROOT / "src/bareboat/templates/lightgbm-iris/lgb.model"

_CASES = """\
binary
binary with a sigmoid factor
binary with categories
one-hot categories
multiclass
multiclass with two classes
multiclassova
regression
regression with categories
regression_l1
reg_sqrt
reg_sqrt of l1
huber
fair
poisson
quantile
mape
gamma
tweedie
cross_entropy
cross_entropy_lambda
lambdarank
rank_xendcg
random forest
random forest of a regression
random forest of three classes
dart
linear trees
linear trees of a binary
linear trees with categories
zero_as_missing
use_missing=false
trees of one leaf
a multiclass with trees of one leaf
400 leaves
max_bin of 1000
max_bin of 15
max_bin of 1023
thousands of categories
300 columns
goss
path_smooth
quantised gradients
no average to start from
dart of three classes
random forest of cross_entropy
linear trees of three classes
linear trees of one leaf
zero_as_missing with categories
use_missing=false with categories
extra trees
monotone
"""
CASES = _CASES.splitlines()


def assert_as_lightgbm(
    samples: ModuleType, booster: lightgbm.Booster, forest: Ensemble, rows: np.ndarray, folder: Path
) -> None:
    write_forest(forest, folder / "a.forest")
    kernel = load_forest(str(folder / "a.forest"))
    raw = booster.predict(rows, raw_score=True, num_threads=1).reshape(len(rows), -1)
    outputs = booster.predict(rows, num_threads=1).reshape(len(rows), -1)

    scores = np.array(kernel.raw_scores(rows.tolist()))
    predicted = np.array(kernel.predict_many(rows.tolist()))

    assert scores.tobytes() == raw.tobytes()
    assert predicted.shape[1] == max(forest.n_classes, forest.n_outputs)
    if forest.n_classes == 2 and forest.n_outputs == 1:
        assert np.array_equal(predicted[:, 0], 1.0 - predicted[:, 1], equal_nan=True)
        predicted = predicted[:, 1:]
    assert max(map(samples.ulps, predicted.ravel(), outputs.ravel())) <= 1
    few = rows[-40:].tolist()
    assert np.array(slow.raw_scores(forest, few)).tobytes() == raw[-40:].tobytes()


def rows_for(samples: ModuleType, forest: Ensemble, seen: np.ndarray) -> np.ndarray:
    """The rows that the model was trained on, then hard ones."""
    return np.concatenate([seen, np.array(samples.hard_rows(forest, 7, 400))])


def test_every_trained_case_is_tested(trained: ModuleType) -> None:
    assert set(trained.CASES) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_scores_equal_lightgbm_bit_for_bit(case: str, samples: ModuleType, trained: ModuleType, tmp_path: Path) -> None:
    booster, path, seen = trained.train(case, tmp_path)

    forest = read_ensemble(path)

    assert forest.n_trees == booster.num_trees()
    assert list(forest.feature_names) == booster.feature_name()
    assert_as_lightgbm(samples, booster, forest, rows_for(samples, forest, seen), tmp_path)


@pytest.mark.parametrize("case", ["multiclass", "binary with categories", "linear trees", "400 leaves"])
def test_leaves_equal_pred_leaf(case: str, samples: ModuleType, trained: ModuleType, tmp_path: Path) -> None:
    booster, path, _ = trained.train(case, tmp_path)
    forest = read_ensemble(path)
    rows = np.array(samples.hard_rows(forest, 3, 50))

    leaves = [slow.leaves(forest, row) for row in rows.tolist()]

    assert leaves == booster.predict(rows, pred_leaf=True, num_threads=1).astype(int).tolist()


def test_iris_gives_the_published_probabilities(tmp_path: Path) -> None:
    write_forest(read_ensemble(IRIS), tmp_path / "iris.forest")

    probabilities = load_forest(str(tmp_path / "iris.forest")).predict([6.0, 3.0, 5.0, 2.0])

    assert probabilities == [0.11376620900197651, 0.17004835386299028, 0.7161854371350332]


def test_a_model_of_the_first_rounds_is_read(trained: ModuleType, samples: ModuleType, tmp_path: Path) -> None:
    booster, path, seen = trained.train("multiclass", tmp_path)
    booster.save_model(path, num_iteration=3)

    forest = read_ensemble(path)

    assert forest.n_trees == 9
    assert_as_lightgbm(samples, lightgbm.Booster(model_file=path), forest, rows_for(samples, forest, seen), tmp_path)


def test_a_model_with_an_objective_of_the_user_gives_raw_scores(
    trained: ModuleType, samples: ModuleType, tmp_path: Path
) -> None:
    x, y = trained.numbers(np.random.default_rng(5))
    parameters = {"objective": lambda scores, data: (scores - data.get_label(), np.ones_like(scores)), "verbose": -1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), 5)
    booster.save_model(tmp_path / "own.model")

    forest = read_ensemble(tmp_path / "own.model")

    assert (forest.objective, forest.n_classes) == ("custom", 0)
    assert_as_lightgbm(samples, booster, forest, rows_for(samples, forest, x), tmp_path)


def test_a_model_saved_again_after_loading_is_read(trained: ModuleType, samples: ModuleType, tmp_path: Path) -> None:
    booster, path, seen = trained.train("binary with categories", tmp_path)
    booster.save_model(path)

    forest = read_ensemble(path)

    assert_as_lightgbm(samples, booster, forest, rows_for(samples, forest, seen), tmp_path)


@pytest.mark.parametrize("magnitude", [1e-36, 1e-20, 1e30, 1e250])
def test_thresholds_of_any_magnitude_are_exact(
    magnitude: float, trained: ModuleType, samples: ModuleType, tmp_path: Path
) -> None:
    rng = np.random.default_rng(11)
    x, y = trained.numbers(rng)
    x = np.nan_to_num(x) * magnitude
    parameters = {"objective": "regression", "verbose": -1, "min_data_in_leaf": 3, "num_threads": 1}
    lightgbm.train(parameters, lightgbm.Dataset(x, y), 5).save_model(tmp_path / "a.model")
    booster = lightgbm.Booster(model_file=tmp_path / "a.model")

    forest = read_ensemble(tmp_path / "a.model")

    assert_as_lightgbm(samples, booster, forest, rows_for(samples, forest, x), tmp_path)
