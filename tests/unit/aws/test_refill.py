"""What the bucket lacks of what the stack runs, asked while AWS answers what else there is."""

from __future__ import annotations

import pytest

from bareboat.aws.bucket import Bucket
from bareboat.aws.refill import find_lack

BUCKET = Bucket("code", "serverless/demo/dev")
CODE = f"{BUCKET.folder}/code/{'0' * 64}.zip"
RECORD = f"{BUCKET.folder}/deployments/000001/deployment.json"
TEMPLATE = {
    "Resources": {
        "F": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"FunctionName": "f", "Code": {"S3Bucket": "code", "S3Key": CODE}},
        }
    }
}


@pytest.mark.parametrize(
    ("there", "says"),
    [
        pytest.param({CODE, RECORD}, None, id="nothing"),
        pytest.param({RECORD}, "1 archive", id="code"),
        pytest.param({CODE}, "the record of what runs", id="record"),
        pytest.param(set(), "1 archive and the record of what runs", id="both"),
        pytest.param(None, None, id="not-known"),
    ],
)
def test_what_is_lacking_is_what_the_bucket_does_not_hold(there, says):
    lack = find_lack(BUCKET, None if there is None else frozenset(there), TEMPLATE)

    assert (lack.text if lack is not None else None) == says


def test_no_bucket_lacks_nothing():
    assert find_lack(None, frozenset(), TEMPLATE) is None
