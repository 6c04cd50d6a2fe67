"""explain(): DistributedDataParallel's error, explained where it is raised.

DDP's errors name a parameter, not a cause, and often in the iteration after the one that went wrong. While the block runs, only
the arguments of the last forward are kept. When one of these errors comes, the model is recorded with them, and gradscan's
report is raised in place of the error, which becomes its cause; on one rank only, the others raise their error as it is.
Whatever goes wrong in this, the error itself is not lost.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from gradscan.check import check
from gradscan.errors import DDPError, Error
from gradscan.loss import Loss

# How DDP's errors begin, or what they hold in all versions.
_MARKS = (
    "Expected to mark a variable ready only once",
    "Expected to have finished reduction in the prior iteration",
    "Your training graph has changed",
)


@contextlib.contextmanager
def explain(ddp_model: DistributedDataParallel, *, loss: Loss | None = None, program: str | None = None) -> Iterator[None]:
    """Explains the errors that DDP raises in the block: put it around the training step, or around the whole loop.

    loss, program: as for `check`.

    >>> with gradscan.explain(ddp_model):
    ...     for batch in batches:
    ...         ddp_model(batch).mean().backward()
    """
    if not isinstance(ddp_model, DistributedDataParallel):
        raise Error(f"explain is given a {type(ddp_model).__name__}: give the model that DistributedDataParallel returns")
    last_call: list[Any] = []

    def keep(_: torch.nn.Module, args: Any, kwargs: Any) -> None:
        last_call[:] = [args, kwargs]

    handle = ddp_model.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        yield
    except RuntimeError as error:
        if not last_call or not _is_of_ddp(error) or not _is_first(ddp_model):
            raise
        _raise_explained(ddp_model, last_call, loss, program, error)
    finally:
        handle.remove()


def _is_of_ddp(error: RuntimeError) -> bool:
    return any(mark in str(error) for mark in _MARKS)


def _is_first(ddp_model: DistributedDataParallel) -> bool:
    """Whether no other rank explains. Ranks may fail one by one and wait for none, so this is asked of the store."""
    try:
        store = dist.distributed_c10d._get_process_group_store(ddp_model.process_group)
        return store.add(f"gradscan.explain/{dist.distributed_c10d._get_process_group_name(ddp_model.process_group)}", 1) == 1
    except Exception:  # noqa: BLE001  an explanation twice is better than none
        return True


def _raise_explained(
    ddp_model: DistributedDataParallel, last_call: list[Any], loss: Loss | None, program: str | None, error: RuntimeError
) -> None:
    args, kwargs = last_call
    try:
        report = check(ddp_model, args, kwargs=kwargs, loss=loss, program=program)
    except Exception as failure:  # noqa: BLE001  nothing may hide the error itself
        _add_note(error, f"gradscan could not explain this: {failure}")
        raise error from error.__cause__
    raise DDPError(
        f"DistributedDataParallel has raised an error. gradscan's report on the model and this batch:\n\n{report}"
    ) from error


def _add_note(error: BaseException, note: str) -> None:
    if hasattr(error, "add_note"):  # since Python 3.11
        error.add_note(note)
