"""One rank does something while the others wait for it.

When DistributedDataParallel raises an error, each rank gets it at a time of its own, and their collectives are out of step.
torchrun ends all ranks as soon as one of them has exited. So the process group's store, which needs no collectives, decides
which rank is first, and the others stay until that one has finished, but no longer than ten minutes.

    turn = Turn(process_group, "name")      # on all ranks, with the same name
    if turn.is_first():
        try: ...
        finally: turn.end()
    else:
        turn.wait()
"""

from __future__ import annotations

import contextlib
import datetime
import sys
from typing import Any

import torch.distributed as dist

_MINUTES = 10


class Turn:
    """A process group whose store cannot be used has no other ranks: doing it twice is better than not at all."""

    def __init__(self, process_group: Any, name: str) -> None:
        self._store: Any = None
        self.is_alone = True
        with contextlib.suppress(Exception):
            self._store = dist.distributed_c10d._get_process_group_store(process_group)
            self._key = f"gradscan.{name}/{dist.distributed_c10d._get_process_group_name(process_group)}"
            self._rank, self.is_alone = dist.get_rank(), dist.get_world_size(process_group) == 1

    def is_first(self) -> bool:
        """Whether no other rank has asked before."""
        with contextlib.suppress(Exception):
            return bool(self._store.add(f"{self._key}/begun", 1) == 1)
        return True

    def has_begun(self) -> bool:
        """Whether a rank has asked."""
        with contextlib.suppress(Exception):
            return bool(self._store.check([f"{self._key}/begun"]))
        return False

    def end(self) -> None:
        """Lets the others go on."""
        with contextlib.suppress(Exception):
            self._store.set(f"{self._key}/ended", "")

    def wait(self) -> None:
        """Waits for the rank that is first, and says so."""
        print(
            f"gradscan: rank {self._rank} waits, {_MINUTES} minutes at most, while another one explains the error",
            file=sys.stderr,
            flush=True,
        )
        with contextlib.suppress(Exception):
            self._store.wait([f"{self._key}/ended"], datetime.timedelta(minutes=_MINUTES))
