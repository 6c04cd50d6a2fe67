"""Passing calls to a handler while what torch runs for them is replaced.

What runs is replaced as long as there is a handler on any thread. A handler gets the calls of its own thread; those on other
threads run as usual.

    interception = Interception(replace, restore)
    with interception.by(handler):
        ...                           # interception.handlers[-1] is handler
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Handler = TypeVar("Handler")


class Interception(Generic[Handler]):
    """`replace` puts stand-ins for what torch runs, and `restore` puts that back."""

    def __init__(self, replace: Callable[[], object], restore: Callable[[], object]) -> None:
        self._replace, self._restore = replace, restore
        self._lock = threading.Lock()
        self._users = 0  # interceptions in progress
        self._of_thread = threading.local()

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """Those of this thread, innermost last."""
        handlers: tuple[Handler, ...] = getattr(self._of_thread, "handlers", ())
        return handlers

    @contextlib.contextmanager
    def by(self, handler: Handler) -> Iterator[None]:
        """Adds `handler` in the block."""
        before = self.handlers
        self._begin()
        self._of_thread.handlers = (*before, handler)
        try:
            yield
        finally:
            self._of_thread.handlers = before
            self._end()

    def _begin(self) -> None:
        with self._lock:
            if self._users == 0:
                self._replace()
            self._users += 1

    def _end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()
