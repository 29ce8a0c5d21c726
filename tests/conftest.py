"""What all tests share: where the recordings of the real AWS lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
ORACLE = Path(os.environ.get("BAREBOAT_ORACLE", REPOSITORY.parent / "shared" / "oracle"))


@pytest.fixture(scope="session")
def oracle() -> Path:
    """The folder of recorded answers. They are not ours to copy, so a test without them is skipped, saying so."""
    if not ORACLE.is_dir():
        pytest.skip(f"no recordings at {ORACLE}; set BAREBOAT_ORACLE to where they lie")
    return ORACLE
