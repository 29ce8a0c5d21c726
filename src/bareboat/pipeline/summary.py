"""Pipeline -> what `bareboat model info` tells of it."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Column, Pipeline
from bareboat.runtime.pipeline import open_pipeline

_KINDS = {
    "proba": "classifier with probabilities",
    "decision": "classifier with a decision function",
    "label": "classifier with labels alone",
    "value": "regressor",
}


def summary(pipeline: Pipeline) -> dict[str, Any]:
    """Return what a compiled pipeline is made of, as JSON has it; the size is that of the `.pipeline` file."""
    data = pipeline_bytes(pipeline)
    start = perf_counter()
    open_pipeline(data)
    open_ms = (perf_counter() - start) * 1e3
    return {
        "source": pipeline.source,
        "objective": pipeline.objective,
        "kind": _KINDS[pipeline.kind],
        "classes": list(pipeline.classes),
        "agreement": agreement(pipeline),
        "n_features": pipeline.n_features,
        "n_outputs": pipeline.n_outputs,
        "n_steps": len(pipeline.steps),
        "n_slots": pipeline.n_slots,
        "n_forests": len(pipeline.forests),
        "n_trees": pipeline.n_trees,
        "size_bytes": len(data),
        "open_ms": round(open_ms, 3),
        "notes": list(pipeline.notes),
        "columns": [_column(column) for column in pipeline.columns],
        "steps": [
            {
                "op": step.op.name.lower(),
                "inputs": len(step.inputs),
                "outputs": step.n_out,
                "numbers": len(step.numbers),
                "bound": step.bound,
            }
            for step in pipeline.steps
        ],
    }


def agreement(pipeline: Pipeline) -> str:
    """Return how near the outputs are to the framework's, in words."""
    if pipeline.is_exact:
        return "equal to the bit"
    worst = max(step.bound for step in pipeline.steps)
    return f"each step within {worst:g} units in the last place of its greatest term"


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "dtype": column.dtype,
        "values": None if column.values is None else list(column.values),
        "others": column.others,
        "nullable": column.nullable,
        "enum": None if column.enum is None else list(column.enum),
        "used": column.used,
    }
