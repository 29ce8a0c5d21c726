"""What is being done, shown once it has taken a second."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

    from bareboat.cli.terminal import Terminal

PATIENCE_S = 1.0


class Progress:
    """The steps of one long act. Off a terminal each step is a line, once the first second is over.

    Args:
        title: what is done, as a present participle: "Packaging".
        patience_s: how long nothing is shown.
    """

    def __init__(self, title: str, terminal: Terminal, *, patience_s: float = PATIENCE_S) -> None:
        self._title = title
        self._terminal = terminal
        self._text = title
        self._lock = threading.Lock()
        self._shown = False
        self._over = False
        self._status: Status | None = None
        self._timer = threading.Timer(patience_s, self._show)
        self._timer.daemon = True

    def step(self, text: str) -> None:
        """Tell the step that begins now."""
        with self._lock:
            self._text = f"{self._title}: {text}"
            if self._status is not None:
                self._status.update(self._text)
            elif self._shown:
                self._terminal.say(self._text)

    def _show(self) -> None:
        with self._lock:
            if self._over:
                return
            self._shown = True
            if self._terminal.is_live:
                self._status = self._terminal.live_console().status(self._text, spinner="line")
                self._status.start()
            else:
                self._terminal.say(self._text)

    def __enter__(self) -> Progress:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._status is not None:
                self._status.stop()
