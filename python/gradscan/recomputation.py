"""Checkpoint regions whose recomputation takes another path than their forward.

Checkpointing is sound only if the second run of a function, in backward, does what the first one did. It does not if the
function depends on state that has changed since: a counter, a flag, random numbers that are not preserved. Then a reentrant
region yields wrong gradients without a word; mismatch.py says what becomes of a non-reentrant one.

So forwards run once more, from the state in which the first one began, and as many as before: what depends on a counter may
differ in a later one only. When one has ended, the function of each outermost region that an output or the loss leads to runs
again as in backward: in reverse order, on detached arguments, with the random numbers and the autocast of its first run.
Outputs count that the loss does not use, because DistributedDataParallel makes backward reach those as well, depending on its
flags. What the two runs save for backward is compared by number, shape, type, device and values. The graphs of these runs are
thrown away. A function that draws random numbers which its second run does not get again may agree with itself by chance, so it
runs several times.

The second runs may change what the next forward does, so a result belongs to the graph that has the same regions. What fails,
and what belongs to no graph, is noted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import itertools
from collections.abc import Iterator
from typing import Any

import torch
import torch.utils.checkpoint as torch_checkpoint
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]

from gradscan.boundary import edge_of, find_nodes, number_of
from gradscan.errors import in_short
from gradscan.intercept import Call, intercepted
from gradscan.iterations import Forwards, run_forwards
from gradscan.loss import roots_of
from gradscan.mismatch import Saves, difference, mismatch, storages_of
from gradscan.observe import random_states
from gradscan.places import tensor_places
from gradscan.region_name import RunningModules
from gradscan.restore import unchanged
from gradscan.step import Step
from gradscan.user_code import user_line
from gradscan.walk import Json

_WORST_FIRST = ("raises", "unnoticed", None, "harmless")
_RUNS_BY_CHANCE = 16  # of a function that may agree with itself by chance


def run_as_trained(step: Step, iterations: int) -> tuple[Forwards, list[str]]:
    """run_forwards, with what `add_recomputations` adds and returns. If that is anything, the second runs may decide what the
    next forward does, so forwards run anew with the second runs between them."""
    found = run_forwards(step, iterations)
    if step.is_compiled:
        return found, []  # the compiled graph has no second runs of functions
    notes = add_recomputations(found, step, iterations)
    if any("recomputation" in region for graph in found.graphs for region in graph["regions"]):
        found = run_forwards(step, iterations, _SecondRuns())
        notes = add_recomputations(found, step, iterations)
    return found, notes


def add_recomputations(found: Forwards, step: Step, iterations: int) -> list[str]:
    """Adds "recomputation" and, if known, "mismatch" to each region of `found` whose two runs save different tensors, unless
    only one iteration is wanted. Returns notes on what was not compared."""
    if not any(_executed(graph) for graph in found.graphs):
        return []
    if iterations == 1:
        return ["recomputations were not checked, because iterations=1"]
    notes: list[str] = []
    with unchanged(step.model, (step.args, step.kwargs)) as restore_arguments:
        for turn in found.turns:
            try:
                restore_arguments()
                forward = _forward(step)
            except Exception as error:  # noqa: BLE001  the report does not depend on this
                notes.append(f"a further forward fails ({in_short(error)}), so recomputations were not checked")
                break
            notes += forward.failures + _attach(forward, [found.graphs[turn], *found.graphs])
    return list(dict.fromkeys(notes))


def _forward(step: Step) -> _Recomputed:
    gc.collect()  # what an earlier forward has left behind
    forward = _Recomputed(step)
    forward.run()
    return forward


def _executed(graph: Json) -> list[Json]:
    """The regions that forward itself executes, in order: not those in the backward of a custom autograd Function."""
    is_executed: list[bool] = []  # a region stands behind the one around it
    for region in graph["regions"]:
        is_executed.append(region["origin"] == "marker" and (region["parent"] < 0 or is_executed[region["parent"]]))
    return list(itertools.compress(graph["regions"], is_executed))


def _attach(forward: _Recomputed, graphs: list[Json]) -> list[str]:
    """Adds what differs to the first of the graphs that has the same regions; notes it if none has."""
    lists = map(_executed, graphs)
    regions = next((regions for regions in lists if [region["name"] for region in regions] == forward.names), None)
    if regions is None:
        lost = [f"{forward.names[number]}: {found['recomputation']}" for number, found in forward.differences.items()]
        return ["; ".join(["a further forward runs other checkpoint regions, whose recomputations fit no graph here", *lost])]
    for number, found in forward.differences.items():
        if "recomputation" not in regions[number] or found.get("mismatch") == "raises":
            regions[number].update(found)
    return []


@dataclasses.dataclass
class _Run:
    """The first run of an outermost region, and what a second one needs."""

    number: int
    source: str
    call: Call  # with detached arguments
    random_state: torch.Tensor
    device_random_states: tuple[Any, Any]  # the devices of the arguments, and their states
    device_type: str
    autocast: tuple[dict[str, Any], dict[str, Any]]  # of the device, of the CPU
    saves: Saves
    nodes: range  # numbers of the autograd nodes that it has created
    drawn_from: dict[str, Any]  # the generators whose numbers a second run draws anew, as they were before
    draws: bool = False  # whether it has drawn from them


class _Recomputed:
    """One forward and its second runs."""

    def __init__(self, step: Step) -> None:
        self.names: list[str] = []  # of the regions that forward executes
        self.differences: dict[int, Json] = {}  # by number of the region
        self.failures: list[str] = []
        self._step = step
        self._modules = RunningModules(step.model)
        self._model_storages = storages_of(step.model)
        self._first_runs: list[_Run] = []
        self._saves: Saves | None = None  # of the outermost region, while it runs
        self._is_second = False

    def run(self) -> None:
        args, kwargs = self._step.own_arguments()
        with _own_autocast_cache(), torch.enable_grad(), intercepted(self.run_region), self._modules.watched():
            output = self._step.model(*args, **kwargs)  # keeps the graph, which tells what backward needs
            self._run_again([*roots_of(self._step.loss, output), *(place.tensor for place in tensor_places(output, "output"))])
        self._first_runs.clear()

    def run_region(self, call: Call) -> Any:
        """Runs the function, and notes what it saves if no region is around it."""
        if not torch.is_grad_enabled():
            return call.function(*call.args, **call.kwargs)
        if not self._is_second:
            self.names.append(self._modules.region_name(call.function))
        if self._saves:
            with self._saves.within_region(call.args):
                return call.function(*call.args, **call.kwargs)
        run = _first_run(len(self.names) - 1, call, Saves(self._model_storages))
        self._first_runs.append(run)
        with self._noting(run.saves):
            result = call.function(*call.args, **call.kwargs)
        run.nodes = range(run.nodes.start, _get_sequence_nr())
        run.draws = _not_preserved(call) != run.drawn_from
        return result

    @contextlib.contextmanager
    def _noting(self, saves: Saves) -> Iterator[None]:
        self._saves = saves
        try:
            with saves.noted():
                yield
        finally:
            self._saves = None

    def _run_again(self, roots: list[torch.Tensor]) -> None:
        self._is_second = True
        starts = [edge[0] for root in roots if (edge := edge_of(root))]
        reached = {number_of(node) for node in find_nodes(starts)}
        for run in reversed(self._first_runs):
            if not run.nodes or not reached.isdisjoint(run.nodes):
                self._compare(run)

    def _compare(self, run: _Run) -> None:
        found = []
        for _ in range(_RUNS_BY_CHANCE if run.draws else 1):
            second = Saves(self._model_storages)
            try:
                with _as_in_backward(run), self._noting(second):
                    run.call.function(*run.call.args, **run.call.kwargs)
            except Exception as error:  # noqa: BLE001  the other regions are worth a comparison
                where = f"{self.names[run.number]} ({run.source})"
                self.failures.append(f"the recomputation of {where} was not checked, because it fails ({in_short(error)})")
                return
            if sentence := difference(run.saves, second):
                found.append((sentence, mismatch(run.call, run.saves, second)))
        if found:
            sentence, kind = min(found, key=lambda each: _WORST_FIRST.index(each[1]))
            is_known = kind and not (run.draws and kind == "harmless")  # another draw may do harm
            self.differences[run.number] = {"recomputation": sentence, **({"mismatch": kind} if is_known else {})}


class _SecondRuns:
    """Runs the functions of a forward's outermost regions again, for what that changes outside of them."""

    def __init__(self) -> None:
        self._first_runs: list[_Run] = []

    def note(self, call: Call) -> None:
        self._first_runs.append(_first_run(0, call, Saves(set())))

    def run(self) -> None:
        for run in reversed(self._first_runs):
            with contextlib.suppress(Exception), _as_in_backward(run):
                run.call.function(*run.call.args, **run.call.kwargs)
        self._first_runs.clear()


def _first_run(number: int, call: Call, saves: Saves) -> _Run:
    device_type = torch_checkpoint._infer_device_type(*call.args)
    autocast = torch_checkpoint._get_autocast_kwargs(device_type)
    states = torch.get_rng_state(), torch_checkpoint.get_device_states(*call.args)
    start = _get_sequence_nr()
    detached = dataclasses.replace(call, args=_detached(call.args))
    drawn_from = _not_preserved(call)
    return _Run(number, user_line(), detached, *states, device_type, autocast, saves, range(start, start), drawn_from)


def _not_preserved(call: Call) -> dict[str, Any]:
    """The states of the generators that a second run does not draw the same numbers from."""
    return random_states() | ({} if call.preserve_rng_state else {"torch": torch.get_rng_state().tolist()})


def _detached(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Direct arguments only, as in a reentrant region. That makes no difference to what is saved."""
    return tuple(a.detach().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) else a for a in args)


@contextlib.contextmanager
def _own_autocast_cache() -> Iterator[None]:
    """The block shares no cast weights with the caller."""
    torch.clear_autocast_cache()
    try:
        yield
    finally:
        torch.clear_autocast_cache()


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
