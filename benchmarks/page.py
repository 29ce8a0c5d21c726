"""benchmarks/results/*.md -> the tables of docs/performance.md, between their marks.

    python benchmarks/page.py

The text around the marks is written by hand and stays. What a report says of its command, machine and versions comes
along with its tables, so that no figure stands without them.
"""

from __future__ import annotations

import re
import sys

import harness

PAGE = harness.REPOSITORY / "docs" / "performance.md"
MARK = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def section(name: str) -> str:
    """Take a report without its title."""
    text = (harness.RESULTS / f"{name}.md").read_text()
    return text.partition("\n")[2].strip()


def main() -> int:
    text = PAGE.read_text()
    names = [name for _, name, _ in MARK.findall(text)]
    missing = [name for name in names if not (harness.RESULTS / f"{name}.md").exists()]
    if missing:
        sys.exit(f"benchmarks: no results of {', '.join(missing)}; run its script")
    PAGE.write_text(MARK.sub(lambda found: f"{found[1]}\n{section(found[2])}\n\n{found[3]}", text))
    print(f"{PAGE.name}: {', '.join(names)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
