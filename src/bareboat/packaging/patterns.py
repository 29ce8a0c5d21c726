"""Globs as the Serverless Framework reads them: `**`, braces, dotfiles, `!` that takes away; the last match counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bareboat.errors import PackagingError


class Matcher:
    """A list of patterns, compiled.

    Args:
        patterns: relative to the project's folder; a leading `!` takes away what the pattern matches. `dir` alone
            matches a file of that name, not what lies in a folder (`dir/**` does), as in Serverless.
    Raises:
        PackagingError: a pattern leads out of the project.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._rules = [_rule(pattern) for pattern in patterns]

    def last_match(self, path: str) -> bool | None:
        """Return what the last pattern that matches says: True adds, False takes away, None when none matches.

        Args:
            path: relative, with `/`.
        """
        for adds, regexes in reversed(self._rules):
            if any(regex.match(path) for regex in regexes):
                return adds
        return None


def _rule(pattern: str) -> tuple[bool, list[re.Pattern[str]]]:
    from wcmatch import glob

    adds = not pattern.startswith("!")
    glob_text = pattern if adds else pattern[1:]
    while glob_text.startswith("./"):
        glob_text = glob_text[2:]
    if glob_text.startswith(("../", "/")) or glob_text == "..":
        raise PackagingError(
            f"the pattern {pattern!r} leads out of the folder",
            expected="a glob that starts at the folder of the file that has it",
            fix="copy the files into the folder, or move the file with the pattern up",
        )
    flags = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.EXTGLOB | glob.FORCEUNIX
    included, _ = glob.translate(glob_text, flags=flags)
    return adds, [re.compile(text) for text in included]
