"""The Terminal: results to stdout, everything else to stderr; with --json one document and nothing else on stdout."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from bareboat.cli.printable import printable
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bareboat.service.model import Note

_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?(e[+-]\d+)?")
STYLES = {
    "error": "31;1",
    "warning": "33;1",
    "note": "1",
    "next": "1",
    "alarming": "31",
    "dim": "2",
}  # bold tells as much where there is no colour


class Terminal:
    """Where a command shows what it did.

    Args:
        as_json: whether stdout gets one JSON document; texts, tables and hints for people are then left to stderr.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.verbosity = 0
        self._kept: list[Any] | None = None

    # --- results, on stdout

    def result(self, document: Any, text: str | None = None) -> None:
        """Show a result: `document` with `--json`, else `text` (nothing when it is None)."""
        if self.as_json:
            self.document(document)
        elif text is not None:
            self.write(text)

    def document(self, document: Any) -> None:
        """Write one JSON document to stdout; a number that JSON does not have becomes its name."""
        if self._kept is not None:
            self._kept.append(document)
            return
        try:
            text = self._json(document)
        except ValueError:  # NaN and infinities are no JSON
            text = self._json(_finite(document))
        self.write(text)

    @contextmanager
    def held(self) -> Iterator[dict[str, Any]]:
        """Hold a document back until all of it is known: what is put into the mapping that is handed over is added.

        It is dropped where an error comes in between, which is a document of its own.
        """
        more: dict[str, Any] = {}
        kept: list[Any] = []
        self._kept = kept
        try:
            yield more
        finally:
            self._kept = None
        for document in kept:
            self.document({**document, **more})

    @staticmethod
    def _json(document: Any) -> str:
        import json

        encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
        ascii_only = encoding != "utf8"
        return json.dumps(document, indent=2, ensure_ascii=ascii_only, allow_nan=False, default=_jsonable)

    def write(self, text: str) -> None:
        """Write a text and a line break to stdout; a terminal is shown no more than colours of it."""
        with _result_written():
            sys.stdout.write((printable(text) if sys.stdout.isatty() else text) + "\n")
            sys.stdout.flush()

    def write_bytes(self, payload: bytes) -> None:
        """Write a function's answer to stdout, byte for byte, and a line break."""
        with _result_written():
            sys.stdout.flush()
            sys.stdout.buffer.write(payload + b"\n")
            sys.stdout.buffer.flush()

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[Any]], *, whole: str = "") -> None:
        """Write a table to stdout, without boxes; folded to the width of a terminal, else one line a row.

        Args:
            headers: a unit stands in the header (`size_mb`).
            rows: columns of numbers are aligned right; a number may come as text, so that its digits are the caller's.
            whole: the header of a column of text that is not folded where another can be; numbers never are.
        """
        from shutil import get_terminal_size

        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        cells = [list(row) for row in rows]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column, header in enumerate(headers):
            numbers = bool(cells) and all(_NUMBER.fullmatch(str(row[column])) for row in cells)
            justify: Literal["left", "right"] = "right" if numbers else "left"
            table.add_column(Text(header), justify=justify, overflow="fold", no_wrap=numbers or header == whole)
        for row in cells:
            table.add_row(*(Text(printable(str(cell))) for cell in row))
        is_live = sys.stdout.isatty()
        width = get_terminal_size().columns if is_live else 10_000  # a file or a pipe cuts nothing
        page = io.StringIO()
        Console(file=page, width=width, force_terminal=is_live, highlight=False, emoji=False).print(table)
        self.write("\n".join(line.rstrip() for line in page.getvalue().rstrip("\n").split("\n")))

    # --- everything else, on stderr

    def say(self, text: str = "") -> None:
        """Write a line to stderr; what others wrote of it (AWS, logs, records) moves, asks and sets no terminal."""
        try:
            sys.stderr.write(printable(text) + "\n")
            sys.stderr.flush()
        except BrokenPipeError:
            pass  # nobody reads what is only told in passing

    def error(self, text: str) -> None:
        """Tell an error; further lines of `text` say what was expected and the fix."""
        self._labelled("error", text)

    def warning(self, text: str) -> None:
        """Tell that something will not happen as written."""
        self._labelled("warning", text)

    def note(self, text: str) -> None:
        """Tell something that is good to know."""
        self._labelled("note", text)

    def notes(self, notes: Iterable[Note], *, infos: bool = False) -> None:
        """Tell the warnings among a service's notes, and with `infos` or `-v` the others too."""
        for note in notes:
            text = f"{note.where}: {note.text}" if note.where else note.text
            if note.level == "warning":
                self.warning(text)
            elif infos or self.verbosity:
                self.note(text)

    def next(self, *commands: str) -> None:
        """Hint at the next command to type."""
        for number, command in enumerate(commands):
            self.say(f"{self._styled('next', 'next:') if number == 0 else '     '} {command}")

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show what is being done once it has taken a second: a spinner on a terminal, else a line for each step.

        The function that is handed over tells the step that begins: `step("Resolving 12 packages")`.
        """
        from bareboat.cli.progress import Progress

        with Progress(title, self) as progress:
            yield progress.step

    def log(self, text: str) -> None:
        """Log a step of the command, for `-v`."""
        if self.verbosity:
            import logging

            logging.getLogger("bareboat.cli").info(text)

    def more_verbose(self, by: int) -> None:
        """Log to stderr: INFO from `-v` on, DEBUG from `-vv` on."""
        import logging

        self.verbosity += by
        level = logging.INFO if self.verbosity == 1 else logging.DEBUG
        logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("bareboat").setLevel(level)

    @property
    def is_live(self) -> bool:
        """Whether stderr is a terminal that can redraw a line."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def live_console(self) -> Console:
        """Return rich's console on stderr, for a spinner or a progress bar."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, emoji=False, markup=False)

    def _labelled(self, kind: str, text: str) -> None:
        self.say(f"{self._styled(kind, kind + ':')} {text}")

    def alarming(self, text: str) -> str:
        """Return a text in red, where there is a terminal that has it; its words must tell as much."""
        return self._styled("alarming", text) if sys.stdout.isatty() else text

    def dimmed(self, text: str) -> str:
        """Return a text that is less than its neighbours, where there is a terminal that shows it."""
        return self._styled("dim", text) if sys.stdout.isatty() else text

    def _styled(self, kind: str, text: str) -> str:
        if not self.is_live:
            return text
        codes = STYLES[kind].split(";")
        if os.environ.get("NO_COLOR"):
            codes = [code for code in codes if code == "1"]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text


@contextmanager
def _result_written() -> Iterator[None]:
    """Say why stdout takes no more: a disk that is full. A reader that has left is told by BrokenPipeError itself."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BareboatError(f"the result cannot be written to stdout: {error.strerror}") from error


def _jsonable(value: object) -> Any:
    """Say what json has no word for: mappings that are no dicts, tuples' kin, paths."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def _finite(value: Any) -> Any:
    """Put the name of each NaN and infinity in its place."""
    if isinstance(value, float) and value - value != 0.0:
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def shown(path: Path) -> Path:
    """Show a path below the current folder as one would type it."""
    from pathlib import Path

    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
