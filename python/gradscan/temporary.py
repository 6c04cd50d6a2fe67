"""A temporary folder that does not stay behind.

By default, a process that is asked to terminate does so without running any more Python. Launchers ask all ranks to terminate
when one has failed. While there is a temporary folder, such a signal raises SystemExit instead, which removes the folder.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Yields its path."""
    with _exit_on_signals(), tempfile.TemporaryDirectory(prefix="gradscan-") as folder:
        yield folder


@contextlib.contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Handlers of the program's own remain, and only the main thread can install any."""
    is_main = threading.current_thread() is threading.main_thread()
    replaced = [number for number in _SIGNALS if is_main and signal.getsignal(number) == signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _: Any) -> None:
    raise SystemExit(128 + number)
