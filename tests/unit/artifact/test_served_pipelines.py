from __future__ import annotations

import json

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from bareboat.artifact.models import model_files
from bareboat.pipeline.estimator import Model
from bareboat.service import load_service

CONFIG = """\
service: churn
provider: {name: aws, runtime: python3.13}
functions:
  predict:
    model: churn.pipeline
    events:
      - httpApi: POST /predict
"""


def test_a_pipeline_ships_as_its_own_file_with_a_document_of_its_columns(tmp_path):
    rows = np.array([["Bern"], ["Oslo"]], dtype=object)
    model = Model(make_pipeline(OneHotEncoder(), LogisticRegression()).fit(rows, ["stays", "leaves"]))
    model.save(tmp_path / "churn.pipeline")
    (tmp_path / "serverless.yml").write_text(CONFIG)

    made = model_files(load_service(tmp_path / "serverless.yml").functions["predict"])

    (document,) = [
        json.loads(data) for name, data in made.files.items() if "/models/" in name and name.endswith("json")
    ]
    assert document["engine"] == "pipeline"
    assert document["labels"] == ["leaves", "stays"]
    assert [(each["dtype"], each["values"]) for each in document["inputs"]] == [("string", ["Bern", "Oslo"])]
    assert made.files[f".bareboat/models/{document['file'].rpartition('/')[2]}"] == model.file
    assert "pipeline" in made.uses
