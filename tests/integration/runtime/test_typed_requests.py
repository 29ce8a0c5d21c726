"""A pipeline with a signature of its own, from its file to the answers of AWS's runtime client."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from click.testing import CliRunner
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from bareboat.cli.root import bareboat

Make = Callable[..., Any]


def test_a_signature_inferred_from_a_table_answers_warns_and_refuses(project: Make, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"age": rng.integers(18, 80, 99), "größe 📏": rng.choice(["s", "m"], 99), "a.b": rng.normal(size=99)}
    )
    rows.loc[::7, "a.b"] = np.nan
    rows["churned"] = np.where(rows["age"] > 40, "yes", "no")
    rows.to_csv(source / "rows.csv", index=False)
    model = make_pipeline(
        make_column_transformer(
            (SimpleImputer(), ["age", "a.b"]), (OneHotEncoder(handle_unknown="ignore"), ["größe 📏"])
        ),
        LogisticRegression(),
    ).fit(rows.drop(columns="churned"), rows["churned"])
    joblib.dump(model, source / "m.joblib")
    printed = CliRunner().invoke(
        bareboat, ["model", "signature", str(source / "m.joblib"), "--from", str(source / "rows.csv")]
    )
    (source / "serverless.yml").write_text(
        "service: churn\nprovider: {name: aws, runtime: python3.13}\nfunctions:\n  predict:\n    model: m.joblib\n"
        + printed.stdout,
        encoding="utf-8",
    )
    served = project(source)

    def ask(**row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        invocation = served.invoke({"requestContext": {}, "body": json.dumps(row)})
        line = next(line for line in invocation.log.splitlines() if line.startswith("{"))
        return json.loads(invocation.payload), json.loads(line)

    good = {"age": 30, "größe 📏": "l", "a.b": None}
    answer, _ = ask(**good)
    assert "x-bareboat-warning" not in answer["headers"]
    expected = model.predict_proba(pd.DataFrame([good]).astype({"a.b": float}))[0].tolist()
    np.testing.assert_allclose(json.loads(answer["body"])["proba"], expected, rtol=1e-12)

    warned, line = ask(**{**good, "age": 130})
    assert warned["headers"]["x-bareboat-warning"] == "outside bounds: age"
    assert line["outsideBounds"] == 1

    refused, _ = ask(**{"age": 30.5, "größe 📏": 5})
    assert refused["statusCode"] == 400
    assert json.loads(refused["body"])["errors"] == [
        {"field": "age", "found": "30.5", "expected": "a whole number"},
        {"field": "größe 📏", "found": "5", "expected": "a text"},
    ]
