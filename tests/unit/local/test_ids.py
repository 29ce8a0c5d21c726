"""Ids as Lambda makes them."""

from __future__ import annotations

import re
import uuid

from bareboat.local.ids import STOCK, random_bytes, request_id, trace_id


def test_request_ids_are_uuids_of_version_4_and_none_comes_twice():
    ids = [request_id() for _ in range(STOCK)]

    assert {uuid.UUID(each).version for each in ids} == {4}
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}
    assert len(set(ids)) == STOCK


def test_random_bytes_are_as_many_as_asked_for_wherever_the_stock_ends():
    assert {len(random_bytes(count)) for count in [23] * STOCK} == {23}


def test_a_trace_id_has_a_root_and_a_parent():
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", trace_id())
