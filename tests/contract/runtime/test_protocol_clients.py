"""Unmodified clients of MLflow, Triton and SageMaker against what `bareboat serve` runs; LightGBM is the oracle."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from bareboat.artifact.here import build_here, targets_here
from bareboat.local.cloud import LocalCloud
from bareboat.service import load_service

IRIS = Path(__file__).parents[3] / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
LABELS = np.array(["setosa", "versicolor", "virginica"])
FRAME = pandas.DataFrame([[6.0, 3.0, 5.0, 2.0], [5.0, 3.5, 1.5, 0.25], [6.0, 2.5, 4.0, 1.25]], columns=NAMES)
CONFIG = """\
service: clients
provider: {name: aws, runtime: python3.13}
functions:
"""
FUNCTION = """\
  {name}:
    model: lgb.model
    features: [sepal length, sepal width, petal length, petal width]
    labels: [setosa, versicolor, virginica]
    protocol: {name}
    events:
"""
ROUTES = {
    "mlflow": ("POST /invocations", "GET /ping", "GET /health", "GET /version"),
    "oip": ("ANY /v2", "ANY /v2/{path+}"),
    "sagemaker": ("POST /endpoints/{endpoint}/invocations",),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a local cloud with a function of each protocol."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "lgb.model").write_bytes(IRIS.read_bytes())
    text = CONFIG
    for name, routes in ROUTES.items():
        text += FUNCTION.format(name=name) + "".join(f"      - httpApi: {route}\n" for route in routes)
    (folder / "serverless.yml").write_text(text)
    service = load_service(folder / "serverless.yml", env={})
    artifacts = build_here(service, targets_here(service)[0])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    cloud = LocalCloud(service, artifacts, port=0)
    try:
        asyncio.run_coroutine_threadsafe(cloud.start(), loop).result(60)
        yield int(cloud.url.rpartition(":")[2])
        asyncio.run_coroutine_threadsafe(cloud.close(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


@pytest.fixture(scope="module")
def proba() -> Any:
    lightgbm = pytest.importorskip("lightgbm")
    return lightgbm.Booster(model_file=str(IRIS)).predict(FRAME.to_numpy())


@pytest.mark.filterwarnings("ignore")
def test_mlflows_scoring_client_is_answered(port: int, proba: Any) -> None:
    pytest.importorskip("mlflow")
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    client = ScoringServerClient("127.0.0.1", port)
    client.wait_server_ready(timeout=30)
    expected = LABELS[proba.argmax(1)].tolist()

    assert client.get_version()
    for data in (
        FRAME,
        FRAME[NAMES[::-1]],
        FRAME.to_numpy(),
        json.dumps({"dataframe_records": FRAME.to_dict(orient="records")}),
    ):
        assert client.invoke(data).get_predictions()[0].tolist() == expected
    found = client.invoke(FRAME, params={"pyfunc_predict_fn": "predict_proba"}).get_predictions()
    np.testing.assert_allclose(found.to_numpy(), proba, rtol=4e-16)
    with pytest.raises(Exception, match=r"error code 400.*an unknown feature"):
        client.invoke(FRAME.rename(columns={"petal width": "width"}))


@pytest.mark.filterwarnings("ignore")
def test_a_csv_of_pandas_is_answered_with_requests(port: int, proba: Any) -> None:
    requests = pytest.importorskip("requests")
    url = f"http://127.0.0.1:{port}"
    expected = LABELS[proba.argmax(1)].tolist()

    answer = requests.post(
        f"{url}/invocations", data=FRAME.to_csv(index=False), headers={"Content-Type": "text/csv"}, timeout=30
    )
    assert answer.json() == {"predictions": expected}
    text = FRAME.to_csv(index=False, header=False)
    answer = requests.post(
        f"{url}/endpoints/e/invocations", data=text, headers={"Content-Type": "text/csv"}, timeout=30
    )
    assert answer.text.splitlines() == expected


@pytest.mark.filterwarnings("ignore")
def test_tritons_client_is_answered(port: int, proba: Any) -> None:
    triton = pytest.importorskip("tritonclient.http")

    with triton.InferenceServerClient(f"127.0.0.1:{port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("oip")
        assert not client.is_model_ready("nobody")
        said = client.get_model_metadata("oip")
        assert [each["name"] for each in said["inputs"]] == NAMES
        assert client.get_model_metadata("oip", said["versions"][0]) == said
        for is_binary in (True, False):
            whole = triton.InferInput("rows", [3, 4], "FP64")
            whole.set_data_from_numpy(FRAME.to_numpy(), binary_data=is_binary)
            columns = [triton.InferInput(name, [3, 1], "FP64") for name in NAMES]
            for column, name in zip(columns, NAMES, strict=True):
                column.set_data_from_numpy(FRAME[[name]].to_numpy(), binary_data=is_binary)
            wanted = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("predict", "predict_proba")]
            for inputs in ([whole], columns):
                for outputs in (wanted, None):
                    found = client.infer("oip", inputs, outputs=outputs, request_id="7")
                    assert found.get_response()["id"] == "7"
                    assert [_text(label) for label in found.as_numpy("predict")] == LABELS[proba.argmax(1)].tolist()
                    np.testing.assert_allclose(found.as_numpy("predict_proba"), proba, rtol=4e-16)
        packed = client.infer("oip", [whole], request_compression_algorithm="gzip")
        assert packed.as_numpy("predict_proba").shape == (3, 3)
        with pytest.raises(triton.InferenceServerException, match="nothing, expected a number"):
            client.infer("oip", columns[:2])


def _text(label: Any) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)


@pytest.mark.filterwarnings("ignore")
def test_boto3_is_answered(port: int, proba: Any) -> None:
    boto3 = pytest.importorskip("boto3")
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    text = FRAME.to_csv(index=False, header=False)

    def invoke(body: str, **said: str) -> tuple[str, str]:
        answer = client.invoke_endpoint(EndpointName="iris", Body=body, **said)
        return answer["ContentType"], answer["Body"].read().decode()

    assert invoke(text, ContentType="text/csv") == (
        "text/csv",
        "".join(f"{each}\n" for each in LABELS[proba.argmax(1)]),
    )
    kind, lines = invoke(text, ContentType="text/csv", Accept="application/jsonlines")
    assert kind == "application/jsonlines"
    np.testing.assert_allclose(json.loads(lines.splitlines()[0])["score"], proba[0], rtol=4e-16)
    with pytest.raises(client.exceptions.ClientError, match="2 cells a line"):
        invoke("1,2\n", ContentType="text/csv")
