"""explain(): explains DistributedDataParallel's error where it is raised.

DDP's errors name a parameter, not a cause, and one of them is raised a forward late. While the block runs, only the arguments
of the last two forwards are kept. When DDP raises one of these errors, the model is recorded with the arguments that led to it,
and gradscan's report is raised instead, with the error as its cause. Only one rank does so; the others raise the original
error. If the report does not predict this error, or there is no report, the original error is raised with a note.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from gradscan.check import check
from gradscan.errors import DDPError, Error
from gradscan.loss import Loss
from gradscan.report import Report

# What DDP's errors contain in all versions of torch, and the outcomes that they stand for.
_OUTCOMES = {
    "Expected to mark a variable ready only once": "marked_ready_twice",
    "Expected to have finished reduction in the prior iteration": "unfinished_reduction",
    "Your training graph has changed": "graph_changed",
}
_RAISED_BY_NEXT_FORWARD = "unfinished_reduction"

_entries = itertools.count()  # calls of explain() in this process; every rank makes equally many

Call = tuple[Any, dict[str, Any]]  # args and kwargs of a forward


@contextlib.contextmanager
def explain(ddp_model: DistributedDataParallel, *, loss: Loss | None = None, program: str | None = None) -> Iterator[None]:
    """Explains errors that DDP raises in the block. Put it around the whole loop, because one of them is raised a forward late.

    Runs forward once more, on one rank only, while the other ranks raise their errors. If forward itself runs collectives, it
    waits there for the other ranks until the process group times out: use `check` on all ranks instead. Errors of models with
    SyncBatchNorm are not explained.

    loss, program: as for `check`.

    >>> with gradscan.explain(ddp_model):
    ...     for batch in batches:
    ...         ddp_model(batch).mean().backward()
    """
    if not isinstance(ddp_model, DistributedDataParallel):
        raise Error(f"explain needs a DistributedDataParallel, not a {type(ddp_model).__name__}: pass the wrapped model")
    calls: deque[Call] = deque(maxlen=2)

    def keep(_: torch.nn.Module, args: Any, kwargs: Any) -> None:
        calls.append((args, kwargs))

    entry = next(_entries)
    handle = ddp_model.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        yield
    except RuntimeError as error:
        outcome = _outcome_of(error)
        if not calls or not outcome or not _is_first(ddp_model, entry):
            raise
        args, kwargs = calls[0 if outcome == _RAISED_BY_NEXT_FORWARD else -1]
        _raise_explained(error, outcome, lambda: _report(ddp_model, args, kwargs, loss, program))
    finally:
        handle.remove()


def _outcome_of(error: RuntimeError) -> str | None:
    """None if the error is not one of DDP's, or is already explained."""
    if isinstance(error, DDPError):
        return None
    return next((outcome for words, outcome in _OUTCOMES.items() if words in str(error)), None)


def _is_first(ddp_model: DistributedDataParallel, entry: int) -> bool:
    """Whether this rank is the first to explain. Ranks fail at different times and cannot wait for each other, so the process
    group's store decides."""
    try:
        store = dist.distributed_c10d._get_process_group_store(ddp_model.process_group)
        group = dist.distributed_c10d._get_process_group_name(ddp_model.process_group)
        return store.add(f"gradscan.explain/{group}/{entry}", 1) == 1
    except Exception:  # noqa: BLE001  two explanations are better than none
        return True


def _report(ddp_model: DistributedDataParallel, args: Any, kwargs: Any, loss: Loss | None, program: str | None) -> Report:
    if any(isinstance(module, torch.nn.SyncBatchNorm) for module in ddp_model.modules()):
        raise Error("a forward with SyncBatchNorm needs all ranks: use gradscan.check on all ranks, before training")
    return check(ddp_model, args, kwargs=kwargs, loss=loss, program=program)


def _raise_explained(error: RuntimeError, outcome: str, make_report: Callable[[], Report]) -> None:
    try:
        report = make_report()
    except Exception as failure:  # noqa: BLE001  nothing may hide the original error
        _add_note(error, f"gradscan could not explain this: {failure}")
        raise error from error.__cause__
    found = report.verdict().outcome
    if found != outcome:
        _add_note(
            error,
            f"gradscan finds no reason for this in the model and this batch (its verdict is {found}): if the loss is computed "
            "from only a part of forward's result, pass loss= to explain; other batches may take a different path through the "
            "model",
        )
        raise error from error.__cause__
    raise DDPError(
        f"DistributedDataParallel raised an error. gradscan's report on the model and this batch:\n\n{report}"
    ) from error


def _add_note(error: BaseException, note: str) -> None:
    if hasattr(error, "add_note"):  # since Python 3.11
        error.add_note(note)
    else:
        warnings.warn(note, stacklevel=2)
