"""explain(): explains DistributedDataParallel's error where it is raised.

DDP's errors name a parameter, not a cause, and one of them is raised a forward late. While the block runs, only the arguments
of the last two forwards are kept. When DDP raises one of these errors, the model is recorded with the arguments that led to it,
and gradscan's report is raised instead, with the error as its cause. Only one rank does so. The others wait for it and then
raise the original error, because a launcher ends all ranks once one of them has exited. If the report does not predict this
error, or there is no report, the original error is raised with a note.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from gradscan.check import check
from gradscan.errors import DDPError, Error
from gradscan.loss import Loss
from gradscan.ranks import Turn
from gradscan.record import require_capture_name
from gradscan.report import Report

# What the errors contain in all versions of torch, and the outcomes that they stand for. "other" is an outcome only together
# with these words: the verdict's message must contain them, too.
_OUTCOMES = {
    "Expected to mark a variable ready only once": "marked_ready_twice",
    "Expected to have finished reduction in the prior iteration": "unfinished_reduction",
    "Your training graph has changed": "graph_changed",
    "Encountered gradient which is undefined": "other",
    "expect_autograd_hooks_ INTERNAL ASSERT FAILED": "other",
    "unmarked_param_indices.empty() INTERNAL ASSERT FAILED": "other",
    "Trying to backward through the graph a second time": "other",
    "does not require grad and does not have a grad_fn": "other",
}
_RAISED_BY_NEXT_FORWARD = "unfinished_reduction"

_entries = itertools.count()  # calls of explain() in this process; every rank makes equally many

Call = tuple[Any, dict[str, Any]]  # args and kwargs of a forward


@contextlib.contextmanager
def explain(
    ddp_model: DistributedDataParallel,
    *,
    loss: Loss | None = None,
    iterations: int = 4,
    program: str | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Iterator[None]:
    """Explains errors that DDP raises in the block. Put it around the whole loop, because one of them is raised a forward late.

    Runs forward again, on one rank only, while the other ranks wait, for ten minutes at most, before they raise their errors.
    If forward itself runs collectives, it waits there for the other ranks: use `check` on all ranks instead. Errors of models
    with SyncBatchNorm are not explained.

    loss, iterations, program, keep: as for `check`.

    >>> with gradscan.explain(ddp_model, keep="failed.capture.json"):
    ...     for batch in batches:
    ...         ddp_model(batch).mean().backward()
    """
    if not isinstance(ddp_model, DistributedDataParallel):
        raise Error(f"explain needs a DistributedDataParallel, not a {type(ddp_model).__name__}: pass the wrapped model")
    if keep is not None:
        require_capture_name(keep)
    calls: deque[Call] = deque(maxlen=2)

    def keep_call(_: torch.nn.Module, args: Any, kwargs: Any) -> None:
        calls.append((args, kwargs))

    def report(call: Call) -> Report:
        return _report(ddp_model, call, loss=loss, iterations=iterations, program=program, keep=keep)

    turn = Turn(ddp_model.process_group, f"explain/{next(_entries)}")
    handle = ddp_model.register_forward_pre_hook(keep_call, with_kwargs=True)
    try:
        yield
    except Exception as error:
        _explain_in_turn(error, calls, turn, report)
        raise
    finally:
        handle.remove()


def _explain_in_turn(error: Exception, calls: deque[Call], turn: Turn, report: Callable[[Call], Report]) -> None:
    """Raises the explanation if this rank is the first, and else returns when there is one."""
    words = _words_of(error)
    if words and calls and turn.is_first():
        try:
            call = calls[0 if _OUTCOMES[words] == _RAISED_BY_NEXT_FORWARD else -1]
            _raise_explained(error, words, lambda: report(call), print_it=not turn.is_alone)
        finally:
            turn.end()
    if not isinstance(error, DDPError) and turn.has_begun():
        turn.wait()


def _words_of(error: Exception) -> str:
    """The words by which an error is known; empty if it is not one of those, or is already explained."""
    if not isinstance(error, RuntimeError) or isinstance(error, DDPError):
        return ""
    return next((words for words in _OUTCOMES if words in str(error)), "")


def _report(ddp_model: DistributedDataParallel, call: Call, **options: Any) -> Report:
    if any(isinstance(module, torch.nn.SyncBatchNorm) for module in ddp_model.modules()):
        raise Error("a forward with SyncBatchNorm needs all ranks: use gradscan.check on all ranks, before training")
    args, kwargs = call
    return check(ddp_model, args, kwargs=kwargs, **options)


def _raise_explained(error: Exception, words: str, make_report: Callable[[], Report], print_it: bool) -> None:
    """`print_it`: at once, because a launcher may end this process before Python prints the exception."""
    try:
        report = make_report()
    except Exception as failure:  # noqa: BLE001  nothing may hide the original error
        _add_note(error, f"gradscan could not explain this: {failure}", print_it)
        raise error from error.__cause__
    found = report.verdict()
    if found.outcome != _OUTCOMES[words] or (found.outcome == "other" and words not in found.message):
        _add_note(
            error,
            "gradscan finds no reason for this in the model and this batch (its verdict is "
            f"{found.outcome}): if the loss is computed from only a part of forward's result, pass loss= to explain; other "
            "batches may take a different path through the model",
            print_it,
        )
        raise error from error.__cause__
    text = f"DistributedDataParallel raised an error. gradscan's report on the model and this batch:\n\n{report}"
    if print_it:
        print(text, file=sys.stderr, flush=True)
    raise DDPError(text) from error


def _add_note(error: BaseException, note: str, print_it: bool) -> None:
    if print_it:
        print(note, file=sys.stderr, flush=True)
    if hasattr(error, "add_note"):  # since Python 3.11
        error.add_note(note)
    else:
        warnings.warn(note, stacklevel=2)
