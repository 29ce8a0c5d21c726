"""`samples` of a function -> the documents of requests, and the rows in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import InputError
from bareboat.runtime.events import document_of, is_http
from bareboat.runtime.signature import signature_of
from bareboat.service.model import Function

_MOST_ROWS = 1000


def sample_documents(function: Function) -> tuple[Any, ...]:
    """Return the documents of the samples that can be read, the rows of `instances` each by itself."""
    found: list[Any] = []
    for sample in function.samples:
        event = sample
        if isinstance(sample, Path):
            try:
                event = json.loads(sample.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # `invoke local` tells what is wrong with it
        try:
            document = document_of(event)[0] if is_http(event, knows_body=False) else event
        except InputError:
            continue
        instances = document.get("instances") if isinstance(document, Mapping) else None
        found += instances if isinstance(instances, list) else [document]
    return tuple(found)


def sample_rows(function: Function, document: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """Return the samples as rows of Python values, without those that do not fit.

    Args:
        document: what a model document says of rows (`signature_document`).
    """
    signature = signature_of({**document, "engine": "framework"}, _MOST_ROWS)
    rows: list[Sequence[Any]] = []
    for each in sample_documents(function):
        try:
            rows += signature.read(each)[0]
        except InputError:
            continue
    return rows[:_MOST_ROWS]
