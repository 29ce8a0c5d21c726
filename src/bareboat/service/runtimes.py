"""Lambda's Python runtimes: which live, which are retired, and what stands in for those.

Source: the AWS runtime table (reference of November 2026): python3.9 was deprecated on 2025-12-15, python3.10 on
2026-10-31, and creation with either is blocked on 2027-02-01.
"""

from __future__ import annotations

import re

from bareboat.service.model import Place
from bareboat.service.problems import nearest
from bareboat.service.report import Report

LIVE = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
RETIRED = ("python2.7", "python3.6", "python3.7", "python3.8", "python3.9")
STAND_IN = "python3.13"
_ENDING = {"python3.10": "AWS deprecated it on 2026-10-31 and blocks creation with it on 2027-02-01"}
_OTHERS = r"(nodejs|java|dotnet|dotnetcore|ruby|go|provided)[0-9.]*"


def python_of(runtime: str, where: Place | None, path: str, report: Report) -> str | None:
    """Return the Python version that packaging and the local cloud use for a declared runtime.

    A retired runtime gives its stand-in with a warning; one of another language, or an unknown one, is a problem.
    """
    if runtime in LIVE:
        if runtime in _ENDING:
            report.warn(f"{runtime} is on its way out: {_ENDING[runtime]}", where)
        return runtime.removeprefix("python")
    version = STAND_IN.removeprefix("python")
    if runtime in RETIRED:
        more = "; Python 2 code does not run there" if runtime == "python2.7" else ""
        report.warn(f"{runtime} is retired: packaged and run as {STAND_IN}{more}; deploying needs {STAND_IN}", where)
        return version
    if re.match(_OTHERS, runtime) and not runtime.startswith("python"):
        report.problems.add(where, f"{path} is '{runtime}'; bareboat runs Python", expected=f"one of {', '.join(LIVE)}")
        return None
    near = nearest(runtime, LIVE)
    report.problems.add(
        where, f"{path} is '{runtime}'", expected=f"one of {', '.join(LIVE)}", fix=f"write {near or STAND_IN}"
    )
    return None
