"""Checkpoint regions whose recomputation takes another path than their forward.

Checkpointing is sound only if the second run of a function, in backward, does what the first one did. It does not if the
function depends on state that has changed since: a counter, a flag, random numbers that are not preserved. Then a reentrant
region yields wrong gradients without a word, and a non-reentrant one raises an error if less is saved for backward than before.

So forward runs once more, from the state in which the first one began. When it has ended, the function of each outermost region
runs again as in backward: in reverse order, on detached arguments, with the random numbers and the autocast of its first run.
What the two runs save for backward is compared by number, shape and type. The graphs of these runs are thrown away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
from collections.abc import Iterator
from typing import Any

import torch
import torch.utils.checkpoint as torch_checkpoint

from gradscan.intercept import Call, intercepted
from gradscan.restore import unchanged
from gradscan.step import Step
from gradscan.walk import Json

Saved = list[tuple[torch.Size, torch.dtype]]


@dataclasses.dataclass
class _Run:
    """The first run of an outermost region, and what a second one needs."""

    number: int
    call: Call  # with detached arguments
    random_state: torch.Tensor
    device_random_states: tuple[Any, Any]  # the devices of the arguments, and their states
    device_type: str
    autocast: tuple[dict[str, Any], dict[str, Any]]  # of the device, of the CPU
    saved: Saved


def add_recomputations(regions: list[Json], step: Step) -> None:
    """Adds "recomputation" to each region whose two runs save different tensors. A run that fails shows nothing."""
    if not regions:
        return
    gc.collect()  # what an earlier forward has left behind
    recomputations = _Recomputations()
    args, kwargs = step.own_arguments()
    with unchanged(step.model, (step.args, step.kwargs)), contextlib.suppress(Exception), torch.enable_grad():
        with intercepted(recomputations.run_region):
            step.model(*args, **kwargs)
        if recomputations.count == len(regions):
            for number, sentence in recomputations.differences():
                regions[number]["recomputation"] = sentence


class _Recomputations:
    def __init__(self) -> None:
        self.count = 0
        self._runs: list[_Run] = []
        self._depth = 0

    def run_region(self, call: Call) -> Any:
        """Runs the function, and notes what it saves if no region is around it."""
        if not torch.is_grad_enabled():
            return call.function(*call.args, **call.kwargs)
        number, self.count = self.count, self.count + 1
        if self._depth:
            return call.function(*call.args, **call.kwargs)
        device_type = torch_checkpoint._infer_device_type(*call.args)
        autocast = torch_checkpoint._get_autocast_kwargs(device_type)
        states = torch.get_rng_state(), torch_checkpoint.get_device_states(*call.args)
        run = _Run(number, dataclasses.replace(call, args=_detached(call.args)), *states, device_type, autocast, [])
        self._runs.append(run)
        self._depth += 1
        try:
            with _saving(run.saved):
                return call.function(*call.args, **call.kwargs)
        finally:
            self._depth -= 1

    def differences(self) -> Iterator[tuple[int, str]]:
        """The number of each region that differs, and how."""
        self._depth = 1
        for run in reversed(self._runs):
            again: Saved = []
            with _as_in_backward(run), intercepted(self.run_region), _saving(again):
                run.call.function(*run.call.args, **run.call.kwargs)
            if again != run.saved:
                yield run.number, _sentence(run.saved, again)


def _detached(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Direct arguments only, as in a reentrant region. That makes no difference to what is saved."""
    return tuple(a.detach().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) else a for a in args)


@contextlib.contextmanager
def _as_in_backward(run: _Run) -> Iterator[None]:
    device, cpu = run.autocast
    with contextlib.ExitStack() as stack:
        if run.call.preserve_rng_state:
            devices, states = run.device_random_states
            stack.enter_context(torch.random.fork_rng(devices=devices, device_type=run.device_type))
            torch.set_rng_state(run.random_state)
            torch_checkpoint.set_device_states(devices, states, device_type=run.device_type)
        if torch.amp.is_autocast_available(run.device_type):
            stack.enter_context(torch.amp.autocast(run.device_type, **device))
        stack.enter_context(torch.amp.autocast("cpu", **cpu))
        stack.enter_context(torch.enable_grad())
        yield


@contextlib.contextmanager
def _saving(saved: Saved) -> Iterator[None]:
    """Lists what is saved for backward in the block, without keeping it: there is no backward."""

    def pack(tensor: torch.Tensor) -> None:
        saved.append((tensor.shape, tensor.dtype))

    def unpack(_: None) -> torch.Tensor:
        raise RuntimeError("the tensor was not kept")

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield


def _sentence(first: Saved, second: Saved) -> str:
    if len(first) != len(second):
        return f"the first run saves {len(first)} tensors, the second {len(second)}"
    k = next(k for k, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
    kinds = f"{_words(first[k])} in the first run, {_words(second[k])} in the second"
    return f"of {len(first)} saved tensors, number {k + 1} is {kinds}"


def _words(saved: tuple[torch.Size, torch.dtype]) -> str:
    return f"{str(saved[1]).removeprefix('torch.')}{list(saved[0])}"
