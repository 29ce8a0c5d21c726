"""botocore's descriptions of services, read faster: they say what botocore itself reads."""

from __future__ import annotations

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

from bareboat.aws.client import _hasten


def test_descriptions_are_the_same():
    fast, plain = Session(), Session()
    _hasten(fast)

    for name in ("cloudformation", "s3"):
        found, wanted = (
            one.get_component("data_loader").load_service_model(name, "service-2") for one in (fast, plain)
        )

        assert found == wanted
        assert list(found["shapes"]) == list(wanted["shapes"])


def test_a_service_that_is_not_there_is_refused_by_name():
    session = Session()
    _hasten(session)

    with pytest.raises(UnknownServiceError, match="no-such"):
        session.get_component("data_loader").load_service_model("no-such", "service-2")
