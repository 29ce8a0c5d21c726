from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from bareboat.packaging import compile as choosing
from bareboat.packaging.requirements import RequirementRules, given_requirements
from bareboat.packaging.target import Target


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has no such rights")
def test_what_may_hold_an_indexs_password_is_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    rights: dict[str, int] = {}

    class Stopped(Exception):  # noqa: N818 - before uv is run
        pass

    def look(args: list[str], **_: Any) -> None:
        rights.update(
            {
                Path(one).name: stat.S_IMODE(Path(one).stat().st_mode)
                for one in args
                if one.startswith("/") and Path(one).suffix in {".in", ".txt"}
            }
        )
        raise Stopped

    monkeypatch.setattr(choosing, "ask_uv", look)
    lines = ["--index-url https://someone:secret@index.invalid/simple", "idna"]
    asked = given_requirements(lines, origins=["", ""], source="here", folder=tmp_path, rules=RequirementRules())

    with pytest.raises(Stopped):
        choosing.ask_for_wheels(asked, Target("3.13", "x86_64"), platform=[])
    assert rights == {"requirements.in": 0o600, "constraints.txt": 0o600}

    rights.clear()
    with pytest.raises(Stopped):
        choosing.look_up(asked, ["idna"], [], Target("3.13", "x86_64"))
    assert rights == {"requirements.in": 0o600}
