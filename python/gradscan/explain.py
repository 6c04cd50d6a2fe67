"""explain(): DistributedDataParallel's error, explained where it is raised.

DDP's errors name a parameter, not a cause, and one of them comes a forward late. While the block runs, only the arguments of
the last two forwards are kept. When one of these errors comes, the model is recorded with those that led to it, and gradscan's
report is raised in place of the error, which becomes its cause; on one rank only, the others raise their error as it is.
Where the report does not come to this error, or cannot be had, the error is raised as it is, with a note.
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

# What DDP's errors hold in all versions, and the outcome that they are.
_OUTCOMES = {
    "Expected to mark a variable ready only once": "marked_ready_twice",
    "Expected to have finished reduction in the prior iteration": "unfinished_reduction",
    "Your training graph has changed": "graph_changed",
}
_RAISED_BY_NEXT_FORWARD = "unfinished_reduction"

_entries = itertools.count()  # of explain() in this process, which every rank enters equally often

Call = tuple[Any, dict[str, Any]]  # args and kwargs of a forward


@contextlib.contextmanager
def explain(ddp_model: DistributedDataParallel, *, loss: Loss | None = None, program: str | None = None) -> Iterator[None]:
    """Explains the errors that DDP raises in the block: put it around the whole loop, for one of them comes a forward late.

    Forward is run once more, on one rank only, while the others go on to raise their error. A model whose forward has
    collectives of its own waits for them there until the process group's timeout: use `check` on all ranks instead. One with
    SyncBatchNorm is left alone.

    loss, program: as for `check`. Without `loss`, every output that requires grad is taken to be part of the loss.

    >>> with gradscan.explain(ddp_model):
    ...     for batch in batches:
    ...         ddp_model(batch).mean().backward()
    """
    if not isinstance(ddp_model, DistributedDataParallel):
        raise Error(f"explain is given a {type(ddp_model).__name__}: give the model that DistributedDataParallel returns")
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
    """None: the error is none of DDP's, or already explained."""
    if isinstance(error, DDPError):
        return None
    return next((outcome for words, outcome in _OUTCOMES.items() if words in str(error)), None)


def _is_first(ddp_model: DistributedDataParallel, entry: int) -> bool:
    """Whether no other rank explains. Ranks may fail one by one and wait for none, so this is asked of the store."""
    try:
        store = dist.distributed_c10d._get_process_group_store(ddp_model.process_group)
        group = dist.distributed_c10d._get_process_group_name(ddp_model.process_group)
        return store.add(f"gradscan.explain/{group}/{entry}", 1) == 1
    except Exception:  # noqa: BLE001  an explanation twice is better than none
        return True


def _report(ddp_model: DistributedDataParallel, args: Any, kwargs: Any, loss: Loss | None, program: str | None) -> Report:
    if any(isinstance(module, torch.nn.SyncBatchNorm) for module in ddp_model.modules()):
        raise Error(
            "a forward with SyncBatchNorm runs on all ranks together: use gradscan.check before the training, on all ranks"
        )
    return check(ddp_model, args, kwargs=kwargs, loss=loss, program=program)


def _raise_explained(error: RuntimeError, outcome: str, make_report: Callable[[], Report]) -> None:
    try:
        report = make_report()
    except Exception as failure:  # noqa: BLE001  nothing may hide the error itself
        _add_note(error, f"gradscan could not explain this: {failure}")
        raise error from error.__cause__
    found = report.verdict().outcome
    if found != outcome:
        _add_note(
            error,
            f"gradscan finds no reason for this in the model and this batch (its verdict is {found}): if the loss is computed "
            "from a part of forward's result only, give explain loss=; other batches may take another way through the model",
        )
        raise error from error.__cause__
    raise DDPError(
        f"DistributedDataParallel has raised an error. gradscan's report on the model and this batch:\n\n{report}"
    ) from error


def _add_note(error: BaseException, note: str) -> None:
    if hasattr(error, "add_note"):  # since Python 3.11
        error.add_note(note)
    else:
        warnings.warn(note, stacklevel=2)
