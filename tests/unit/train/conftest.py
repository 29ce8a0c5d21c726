"""Small tables to train on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bareboat.train.columns import Column, read_column
from bareboat.train.notes import Notes

WriteTable = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a file of these bytes."""

    def written(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def column() -> Callable[..., Column]:
    """Read a column of texts."""

    def read(*values: str, name: str = "x", is_category: bool = False) -> Column:
        return read_column(name, pd.Series(values, dtype="str"), Notes(), is_category=is_category)

    return read


@pytest.fixture
def table() -> pd.DataFrame:
    """300 rows with a category, holes, a truth value, a time and names that LightGBM refuses."""
    random = np.random.default_rng(3)
    n = 300
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, n),
            'in{"come"}': random.normal(50, 10, n).round(2),
            "city 🌊": random.choice(["Rome", "Oslo", "Lima"], n),
            "member": random.choice(["true", "false"], n),
            "since": pd.date_range("2024-01-01", periods=n, freq="6h").strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    score = frame["age"] / 40 + (frame["city 🌊"] == "Rome") * 1.5 + random.normal(0, 0.4, n)
    frame["left"] = np.where(score > 1.9, "yes", "no")
    frame["level"] = np.select([score < 1.4, score < 2.2], ["low", "middle"], "high")
    frame["spend"] = score.round(3)
    frame.loc[::7, 'in{"come"}'] = np.nan
    frame.loc[::11, "city 🌊"] = None
    return frame
