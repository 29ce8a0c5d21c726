"""A stack that kept what failed (`disableRollback`), and how the next deployment goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from bareboat.aws.client import Aws
from bareboat.aws.stack import find_stack
from bareboat.cli.root import bareboat

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

YML = """
service: own
provider: {name: aws, runtime: python3.11, disableRollback: true}
functions:
  hello: {handler: handler.hello}
"""
BUCKET = "resources: {Resources: {Own: {Type: AWS::S3::Bucket, Properties: {BucketName: taken-bucket}}}}\n"


def deploy(home: Path, text: str, *words: str) -> Result:
    (home / "serverless.yml").write_text(text)
    return CliRunner().invoke(bareboat, ["deploy", "-c", str(home), "--yes", *words], prog_name="bareboat")


def test_a_stack_that_kept_what_failed_is_gone_on_from_without_the_key_too(
    aws_cloud: AwsCloud, aws: Aws, tmp_path: Path
) -> None:
    (tmp_path / "handler.py").write_text("def hello(event, context):\n    return 1\n")
    assert deploy(tmp_path, YML).exit_code == 0
    aws_cloud.client("s3").create_bucket(Bucket="taken-bucket")
    failed = deploy(tmp_path, YML + BUCKET)
    stack = find_stack(aws, "own-dev")
    assert failed.exit_code != 0, failed.output
    assert stack is not None
    assert stack.status == "UPDATE_FAILED", failed.output

    done = deploy(tmp_path, YML.replace(", disableRollback: true", ""), "--allow-loss", "Own")

    assert done.exit_code == 0, done.output
    stack = find_stack(aws, "own-dev")
    assert stack is not None
    assert stack.status == "UPDATE_COMPLETE"
