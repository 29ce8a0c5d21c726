"""A model function with a queue, deployed to the test cloud: its mapping, and what it answers to a batch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.aws.client import Aws
from bareboat.local.events.origin import Origin
from bareboat.local.events.samples import sqs

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

IRIS = Path(__file__).parents[3] / "src" / "bareboat" / "templates" / "lightgbm-iris"
ROW = json.loads((IRIS / "event.json").read_text())["body"]
EVENTS = """    events:
      - sqs: {arn: {'Fn::GetAtt': [Rows, Arn]}, batchSize: 5}
resources:
  Resources:
    Rows: {Type: 'AWS::SQS::Queue'}
"""


def test_a_queue_calls_a_model_function_which_names_what_failed(aws: Aws, aws_cloud: AwsCloud, tmp_path: Path) -> None:
    deploy(aws, aws_cloud, tmp_path / "iris")

    (mapping,) = aws.call("lambda", "list_event_source_mappings")["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 5
    event = sqs([ROW, "{"], Origin())
    said, payload = aws.whole(
        "lambda", "invoke", "Payload", FunctionName="lightgbm-iris-dev-predict", Payload=json.dumps(event).encode()
    )

    assert "FunctionError" not in said
    failed = [each["itemIdentifier"] for each in json.loads(payload)["batchItemFailures"]]
    assert failed == [event["Records"][1]["messageId"]]
    aws_cloud.settle()
    logged = aws.call("logs", "filter_log_events", logGroupName="/aws/lambda/lightgbm-iris-dev-predict")["events"]
    lines = [json.loads(one["message"]) for one in logged if one["message"].startswith('{"timestamp"')]
    labels = {line["messageId"]: line.get("prediction", {}).get("label") for line in lines}
    assert labels == {event["Records"][0]["messageId"]: "virginica", failed[0]: None}


def deploy(aws: Aws, cloud: AwsCloud, folder: Path) -> Any:
    from aws_cloud.by_hand import applied, created, settled

    from bareboat.artifact import build_here, targets_here
    from bareboat.aws.parcels import make_shipment
    from bareboat.aws.template.build import bucket_template, make_template
    from bareboat.service import load_service

    shutil.copytree(IRIS, folder)
    text = (folder / "serverless.yml").read_text().partition("    events:\n")[0]
    (folder / "serverless.yml").write_text(text.replace("arm64", "x86_64").replace("3.13", "3.11") + EVENTS)
    service = load_service(folder / "serverless.yml", env={})
    cloud.serve(service)
    artifacts = build_here(service, targets_here(service)[0])
    stack = f"{service.name}-dev"
    created(aws, stack, bucket_template(service))
    outputs = {one["OutputKey"]: one["OutputValue"] for one in settled(aws, stack)["Outputs"]}
    shipment = make_shipment(service, list(artifacts.values()))
    aws.call(
        "s3",
        "put_object",
        Bucket=outputs["ServerlessDeploymentBucketName"],
        Key=shipment.functions["predict"].code.key,
        Body=artifacts["predict"].path.read_bytes(),
    )
    done = applied(aws, stack, make_template(service, shipment))
    assert done["StackStatus"] == "UPDATE_COMPLETE"
    return done
