"""Files that only Python itself can open: what the child process makes of them, and what it says of bad ones."""

from __future__ import annotations

import bz2
import datetime
import gzip
import lzma
import os
import pickle
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import Ensemble, ensemble_from_model, read_ensemble, reference
from bareboat.forest.readers.child import read_in_child

RNG = np.random.default_rng(20261122)
X = RNG.normal(size=(300, 4))
Y = X[:, 0] + 0.5 * X[:, 1] ** 2


class Runs:
    """Unpickles as whatever a piece of code leaves in `result`."""

    def __init__(self, code: str) -> None:
        self.code = f"import os, sys, time, warnings\nresult = None\n{code}"

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"[space := {{}}, exec({self.code!r}, space)][0]['result']",)


def classifier(labels: Any = ("no", "yes"), **parameters: Any) -> lightgbm.LGBMClassifier:
    places = (np.median(Y) < Y).astype(int) if len(labels) == 2 else np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
    model = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1, n_jobs=1, **parameters)
    return model.fit(X, np.array(labels)[places])


def dumped(thing: Any, path: Path) -> Path:
    path.write_bytes(pickle.dumps(thing))
    return path


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        read_in_child(path, "pickle", **options)
    assert caught.value.problems[0].where == str(path)
    return str(caught.value)


def same(a: Ensemble, b: Ensemble) -> bool:
    rows = X[:50].tolist()
    return reference.raw_scores(a, rows) == reference.raw_scores(b, rows) and (a.classes, a.n_classes) == (
        b.classes,
        b.n_classes,
    )


def save_skops(model: Any, path: Path) -> None:
    pytest.importorskip("skops.io").dump(model, path)


@pytest.mark.parametrize(
    "save",
    [
        pytest.param(lambda model, path: path.write_bytes(pickle.dumps(model)), id="pickle"),
        pytest.param(joblib.dump, id="joblib"),
        pytest.param(lambda model, path: joblib.dump(model, path, compress=("zlib", 3)), id="compressed joblib"),
        pytest.param(save_skops, id="skops"),
    ],
)
def test_a_saved_estimator_is_what_it_was(save: Callable[[Any, Path], object], tmp_path: Path) -> None:
    model = classifier()
    save(model, tmp_path / "a.model")

    ensemble = read_ensemble(tmp_path / "a.model")

    assert ensemble.classes == ("no", "yes")
    assert same(ensemble, ensemble_from_model(model))
    expected = model.predict_proba(X[:50])[:, 1]
    assert np.allclose(np.array(reference.predict(ensemble, X[:50].tolist()))[:, 0], expected, rtol=3e-16, atol=0)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_told_by_its_first_bytes(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(pickle.dumps(datetime.date(2026, 7, 21), protocol))

    with pytest.raises(ModelError, match=r"an object of datetime\.date"):
        read_ensemble(tmp_path / "a")


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_every_compression_of_joblib_is_opened(compress: str, tmp_path: Path) -> None:
    joblib.dump(datetime.date(2026, 7, 21), tmp_path / "a", compress=(compress, 3))

    with pytest.raises(ModelError, match=r"an object of datetime\.date"):
        read_ensemble(tmp_path / "a")


@pytest.mark.parametrize(
    ("pack", "name"),
    [(gzip.compress, "gzip"), (zlib.compress, "zlib"), (bz2.compress, "bzip2"), (lzma.compress, "xz")],
)
def test_a_compressed_file_of_something_else_is_not_opened(
    pack: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(pack(b"tree\nversion=v4\n"))

    with pytest.raises(ModelError, match=f"a {name} file") as caught:
        read_ensemble(tmp_path / "a")
    assert "unpack it first" in str(caught.value)


def test_nothing_is_unpickled_in_this_process(tmp_path: Path) -> None:
    path = dumped(Runs(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"), tmp_path / "a.pkl")

    refused(path)

    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_a_booster_is_read_up_to_its_best_iteration(tmp_path: Path) -> None:
    train, valid = lightgbm.Dataset(X[:150], Y[:150]), lightgbm.Dataset(X[150:], RNG.permutation(Y[150:]))
    parameters = {"verbose": -1, "num_threads": 1, "num_leaves": 7, "metric": "l2"}
    stop = lightgbm.early_stopping(3, verbose=False)
    booster = lightgbm.train(parameters, train, 40, valid_sets=[valid], callbacks=[stop], keep_training_booster=True)
    assert 0 < booster.best_iteration < booster.current_iteration()

    ensemble = read_ensemble(dumped(booster, tmp_path / "a.pkl"))

    assert ensemble.n_trees == booster.best_iteration
    assert np.ravel(reference.raw_scores(ensemble, X[:50].tolist())).tolist() == booster.predict(X[:50]).tolist()
    assert "best_iteration" in ensemble.notes[0]


def test_an_estimator_that_stopped_early_is_read_up_to_its_best_iteration() -> None:
    model = lightgbm.LGBMRegressor(n_estimators=40, num_leaves=7, verbose=-1, n_jobs=1)
    stop = lightgbm.early_stopping(3, verbose=False)
    model.fit(X[:150], Y[:150], eval_X=(X[150:],), eval_y=(RNG.permutation(Y[150:]),), callbacks=[stop])

    ensemble = ensemble_from_model(model)

    assert ensemble.n_trees == model.best_iteration_ < 40
    assert np.ravel(reference.raw_scores(ensemble, X[:50].tolist())).tolist() == model.predict(X[:50]).tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("no", "yes"), ("no", "yes")),
        ((3, 7, 11), (3, 7, 11)),
        ((False, True), (False, True)),
        ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)),
        (np.array([1, 2], np.int8), (1, 2)),
        (np.array([1, 2], np.float32), (1.0, 2.0)),
        (np.array(["a", "b", "c"], object), ("a", "b", "c")),
        (np.array([np.str_("é"), np.str_("z")], object), ("z", "é")),
    ],
)
def test_labels_are_plain_values_of_python(labels: Any, expected: tuple[Any, ...]) -> None:
    ensemble = ensemble_from_model(classifier(labels))

    assert ensemble.classes == expected
    assert [type(each) for each in ensemble.classes] == [type(each) for each in expected]


def test_a_label_that_is_no_plain_value_is_named() -> None:
    model = classifier((0, 1))
    model._classes = np.array(["2026-07-21", "2026-07-22"], "datetime64[D]")

    with pytest.raises(ModelError, match=r"a class label of datetime\.date: 2026-07-21"):
        ensemble_from_model(model)


def test_a_classifier_of_cross_entropy_is_binary() -> None:
    model = classifier((0, 1), objective="cross_entropy")

    ensemble = ensemble_from_model(model)

    assert (ensemble.n_classes, ensemble.classes, ensemble.objective) == (2, (0, 1), "cross_entropy")


def test_a_classifier_with_an_objective_of_the_user_has_no_labels() -> None:
    model = classifier((0, 1), objective=lambda y, score: (score - y, np.ones_like(score)))

    ensemble = ensemble_from_model(model)

    assert (ensemble.n_classes, ensemble.classes) == (0, ())
    assert "the labels are left out" in ensemble.notes[0]


def test_an_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(ModelError, match="a LGBMRegressor that is not fitted"):
        ensemble_from_model(lightgbm.LGBMRegressor())


def test_a_class_that_is_not_known_is_named_with_those_that_are(tmp_path: Path) -> None:
    message = refused(dumped(datetime.date(2026, 7, 21), tmp_path / "a.pkl"))

    assert "datetime.date" in message
    assert "LGBMClassifier" in message


def test_a_pipeline_is_refused_with_what_to_do() -> None:
    pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline(classifier())

    with pytest.raises(ModelError, match=r"an object of sklearn\.pipeline\.Pipeline") as caught:
        ensemble_from_model(pipeline)
    assert "pipeline[-1]" in caught.value.problems[0].fix


def test_a_class_of_the_user_that_derives_from_a_known_one_is_refused() -> None:
    class Own(lightgbm.LGBMRegressor):
        def predict(self, *args: Any, **kwargs: Any) -> Any:
            return -super().predict(*args, **kwargs)

    with pytest.raises(ModelError, match="derives from LGBMRegressor"):
        ensemble_from_model(Own())


def test_a_damaged_pickle_gives_its_first_cause(tmp_path: Path) -> None:
    whole = pickle.dumps(list(range(1000)))
    (tmp_path / "a.pkl").write_bytes(whole[:100])

    assert "UnpicklingError: pickle data was truncated" in refused(tmp_path / "a.pkl")


def test_the_first_of_chained_errors_is_told_with_its_place(tmp_path: Path) -> None:
    code = "try:\n    {}['a cause']\nexcept KeyError as error:\n    raise ValueError('no') from error"

    message = refused(dumped(Runs(code), tmp_path / "a.pkl"))

    assert "KeyError: 'a cause'" in message
    assert "in <module>" in message
    assert "Traceback" not in message


def test_what_the_child_prints_does_not_matter_and_its_last_line_is_shown_on_failure(tmp_path: Path) -> None:
    code = "print('x' * 3_000_000)\nprint('the last words', file=sys.stderr)\nraise ValueError('no')"

    message = refused(dumped(Runs(code), tmp_path / "a.pkl"))

    assert "it printed last: the last words" in message
    assert len(message) < 3000


@pytest.mark.parametrize(("code", "how"), [("os._exit(7)", "ended with code 7"), ("os.abort()", "killed by signal 6")])
def test_a_child_that_dies_is_told(code: str, how: str, tmp_path: Path) -> None:
    assert how in refused(dumped(Runs(code), tmp_path / "a.pkl"))


def test_a_child_that_takes_too_long_is_killed_with_all_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(100)"
    )
    path = dumped(Runs(code), tmp_path / "a.pkl")
    start = time.monotonic()

    assert "not open after 4 s" in refused(path, timeout_s=4.0)

    assert time.monotonic() - start < 60
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the process that the child started still runs")


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02cno_such_module_here.deep\nThing\n.")

    message = refused(tmp_path / "a.pkl")

    assert "needs the module no_such_module_here" in message
    assert "PYTHONPATH" in message


def test_modules_in_the_current_folder_can_be_imported_but_shadow_nothing(tmp_path: Path) -> None:
    (tmp_path / "our_own_module.py").write_text("import datetime\ndef made(): return datetime.date(2026, 7, 21)\n")
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    (tmp_path / "lightgbm.py").write_text("raise SystemExit('shadowed')\n")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02cour_own_module\nmade\n)R.")

    assert "an object of datetime.date" in refused(tmp_path / "a.pkl", cwd=tmp_path)


def wrapper(folder: Path, packages: tuple[str, ...]) -> str:
    """Write an interpreter that has these packages of this one and no others."""
    site = folder / "site"
    site.mkdir()
    for package in packages:
        home = Path(sys.modules[package].__file__ or "").parent
        (site / package).symlink_to(home)
        for libs in home.parent.glob(f"{package}.libs"):
            (site / libs.name).symlink_to(libs)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize(("packages", "missing"), [((), "numpy"), (("numpy",), "lightgbm")])
def test_a_missing_framework_comes_with_the_line_that_installs_it(
    packages: tuple[str, ...], missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = wrapper(tmp_path, packages)
    monkeypatch.setenv("BAREBOAT_PYTHON", python)
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02clightgbm.basic\nBooster\n.")

    message = refused(tmp_path / "a.pkl")

    assert f"needs the module {missing}" in message
    assert f"{python} -m pip install {missing}" in message


def test_an_interpreter_that_is_none_is_named(tmp_path: Path) -> None:
    message = refused(dumped(1, tmp_path / "a.pkl"), python=str(tmp_path / "nothing"))

    assert "cannot start" in message
    assert "BAREBOAT_PYTHON" in message


def test_a_skops_file_of_a_strange_type_is_refused_by_its_name(tmp_path: Path) -> None:
    io = pytest.importorskip("skops.io")
    io.dump({"model": 1, "path": Path("x")}, tmp_path / "a.skops")

    with pytest.raises(ModelError, match=r"types that are not trusted: .*Path"):
        read_ensemble(tmp_path / "a.skops")


def test_a_skops_file_is_unlike_any_other_archive(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("lgb.model", "tree\n")

    with pytest.raises(ModelError, match="a zip archive"):
        read_ensemble(tmp_path / "a.zip")


def test_a_warning_of_another_version_becomes_a_note(tmp_path: Path) -> None:
    code = (
        "from sklearn.exceptions import InconsistentVersionWarning as W\n"
        "import lightgbm\n"
        "for name in ('Tree', 'Forest'):\n"
        "    warnings.warn(W(estimator_name=name, current_sklearn_version='9.9', original_sklearn_version='1.0'))\n"
        f"result = lightgbm.Booster(model_str={classifier((0, 1)).booster_.model_to_string()!r})"
    )

    ensemble = read_ensemble(dumped(Runs(code), tmp_path / "a.pkl"))

    assert ensemble.notes == (
        "scikit-learn 1.0 saved this model and 9.9 opened it: predictions may differ from those then",
    )
