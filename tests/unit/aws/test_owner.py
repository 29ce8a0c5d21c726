"""Whose a stack is, told by where its code lies; two services may come to one name."""

from __future__ import annotations

import pytest

from bareboat.aws.owner import other_owner
from bareboat.service import load_service

CODE = "code/" + "0" * 64 + ".zip"
ZIP = "1762000000000-2026-11-01T13:00:00.000Z/shop.zip"


@pytest.fixture
def service(tmp_path):
    """The service `shop` in the stage `pay-dev`."""
    (tmp_path / "serverless.yml").write_text(
        "service: shop\nprovider: {name: aws, runtime: python3.13}\nfunctions: {f: {handler: h.f}}\n"
    )
    (tmp_path / "h.py").write_text("def f(event, context): return {}\n")
    return load_service(tmp_path / "serverless.yml", stage="pay-dev", env={})


def stack_of(*keys):
    return {"Resources": {f"F{at}": {"Properties": {"Code": {"S3Key": key}}} for at, key in enumerate(keys)}}


@pytest.mark.parametrize(
    ("keys", "tags", "owner"),
    [
        pytest.param([f"serverless/shop/pay-dev/{CODE}"], {}, "", id="ours"),
        pytest.param([f"serverless/shop-pay/dev/{CODE}"], {}, "stage dev of the service shop-pay", id="same-name"),
        pytest.param([f"serverless/shop/pay-dev/{ZIP}"], {}, "", id="of-serverless"),
        pytest.param(
            [f"serverless/shop-pay/dev/{ZIP}"], {}, "stage dev of the service shop-pay", id="their-serverless"
        ),
        pytest.param([f"serverless/shop/pay/{CODE}"], {}, "stage pay of the service shop", id="a-stage-that-begins-so"),
        pytest.param([f"other/root/shop/pay-dev/{CODE}"], {}, "", id="another-deployment-prefix"),
        pytest.param([f"serverless/x/dev/{CODE}", f"serverless/shop/pay-dev/{CODE}"], {}, "", id="a-layer-of-another"),
        pytest.param(["mine/own/f.zip"], {}, "", id="code-of-ones-own"),
        pytest.param([f"serverless/shop/pay-dev/{CODE}"], {"STAGE": "dev"}, "", id="code-tells-more-than-a-tag"),
        pytest.param([], {"STAGE": "dev"}, "stage dev of a service", id="a-tag-where-there-is-no-code"),
        pytest.param([], {"STAGE": "pay-dev"}, "", id="our-tag"),
        pytest.param([], {}, "", id="nothing-known"),
    ],
)
def test_the_owner_of_a_stack(service, keys, tags, owner):
    assert other_owner(service, stack_of(*keys), tags) == owner
