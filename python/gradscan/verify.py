"""What really fires: one iteration of the model as it is, with its own checkpointing and without DistributedDataParallel.

DDP hangs its hook behind the accumulator of each parameter's gradient, where it runs once per backward pass that reaches the
parameter, even if the gradient is undefined. A hook in the same place notes the same firings. A checkpoint's inner backward is
a pass of its own, and so is whatever else runs a backward inside backward, known to gradscan or not. So the firings show
whether the regions of a file are all that matters.

A model whose later forward fails, or uses the graph of an earlier one, may fail in a later iteration only. Then as many
iterations run as it takes to reach it, one after the other as in training, without an optimizer.

The parameters are stand-ins meanwhile (stand_ins.py): no hook on them runs, neither DDP's nor the user's. Each gradient is
freed as soon as it has been counted. A graph from before this forward, which backward would free, is left alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]

from gradscan.boundary import Edge, edge_of, find_nodes, number_of
from gradscan.ddp import Parameter
from gradscan.errors import first_line
from gradscan.loss import roots_of
from gradscan.places import tensor_places
from gradscan.restore import gradients_unchanged, unchanged
from gradscan.stand_ins import stand_ins
from gradscan.step import Step

Observed = dict[str, Any]
NOT_VERIFIED: Observed = {"reason": "verify=False"}


def observe_firings(step: Step, iterations: int = 1) -> Observed:
    """{"firings": [[parameter, pass], ...]} of the first iteration, in order: positions in the step's parameters, and 0 for the
    outermost pass, then 1, 2, ... in order of their first firings. {"error": its first line} if backward fails, with
    "iteration 1: " before it if a later iteration does, else {"reason": why there are none} if there are none."""
    tensors = [parameter.tensor for parameter in step.parameters]
    try:
        with unchanged(step.model, (step.args, step.kwargs)) as restore_arguments, stand_ins(tensors), torch.enable_grad():
            with _Firings(step.parameters) as firings:
                start = _get_sequence_nr()
                observed = _first_iteration(step, firings, start)
                later = range(1, iterations) if "firings" in observed else range(0)
                return _later_iterations(step, firings, start, later, restore_arguments) or observed
    except Exception as error:  # noqa: BLE001  the verdict does not depend on this
        return _reason("iteration", error)


def _first_iteration(step: Step, firings: _Firings, start: int) -> Observed:
    try:
        roots, inputs = _forward(step)
    except Exception as error:  # noqa: BLE001
        return _reason("forward", error)
    try:
        if not _backward(roots, inputs, firings, start):
            return {"reason": "forward uses a graph from before, which backward would free"}
    except Exception as error:  # noqa: BLE001
        return {"error": first_line(error)}
    return {"firings": firings.numbered()}


def _later_iterations(
    step: Step, firings: _Firings, start: int, numbers: range, restore_arguments: Callable[[], None]
) -> Observed | None:
    """The error of the first one that fails."""
    for number in numbers:
        restore_arguments()
        try:
            _backward(*_forward(step), firings, start)
        except Exception as error:  # noqa: BLE001
            return {"error": f"iteration {number}: {first_line(error)}"}
    return None


def _forward(step: Step) -> tuple[list[torch.Tensor], Any]:
    """Where backward starts, and the arguments."""
    args, kwargs = step.own_arguments()
    forward: Any = torch.compile(step.model._call_impl, backend="aot_eager") if step.is_compiled else step.model
    return roots_of(step.loss, forward(*args, **kwargs), step.loss_paths), (args, kwargs)


def _backward(roots: list[torch.Tensor], inputs: Any, firings: _Firings, start: int) -> bool:
    """False, and no backward, if it would free a graph from before number `start`."""
    leaves, is_own = _search([edge for root in roots if (edge := edge_of(root))], start)
    if is_own:
        leaves += [place.tensor for place in tensor_places(inputs, "")]
        with gradients_unchanged(leaves):
            firings.run(roots)
    return is_own


def _reason(step: str, error: Exception) -> Observed:
    return {"reason": f"{step} fails: {first_line(error)}"}


def _search(roots: list[Edge], first: int) -> tuple[list[torch.Tensor], bool]:
    """The leaves that the roots lead to, and whether all other nodes have been created since number `first`."""
    nodes: list[Any] = find_nodes(node for node, _ in roots)
    leaves = [node.variable for node in nodes if hasattr(node, "variable")]
    return leaves, all(number_of(node) >= first for node in nodes if not hasattr(node, "variable"))


class _Firings:
    """Hooks behind the accumulators of the parameters that DDP manages."""

    def __init__(self, parameters: list[Parameter]) -> None:
        self._parameters = parameters
        self._accumulators: list[Any] = []  # torch keeps them only as long as a graph needs them
        self._seen: list[tuple[int, int]] = []  # parameter, graph task
        self._outermost = -1

    def __enter__(self) -> _Firings:
        for number, parameter in enumerate(self._parameters):
            if parameter.requires_grad:
                edge = edge_of(parameter.tensor)
                assert edge is not None
                edge[0].register_hook(functools.partial(self._note, number, parameter.tensor))
                self._accumulators.append(edge[0])
        return self

    def __exit__(self, *_: Any) -> None:
        self._accumulators.clear()

    def _note(self, number: int, tensor: torch.Tensor, *_: Any) -> None:
        self._seen.append((number, torch._C._current_graph_task_id()))
        tensor.grad = None

    def run(self, roots: list[torch.Tensor]) -> None:
        """Runs the outermost backward from `roots`, and from a mark of its own that tells which one it is."""
        mark = torch.zeros((), requires_grad=True).clone()
        mark.register_hook(self._note_outermost)
        tensors = [*roots, mark]
        torch.autograd.backward(tensors, [torch.ones_like(tensor) for tensor in tensors])

    def _note_outermost(self, _: torch.Tensor) -> None:
        self._outermost = torch._C._current_graph_task_id()

    def numbered(self) -> list[list[int]]:
        passes = {self._outermost: 0}
        return [[number, passes.setdefault(task, len(passes))] for number, task in self._seen]
