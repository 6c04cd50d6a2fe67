"""What the backward of a custom autograd Function runs.

A Function can be a checkpoint: it runs a function without grad in forward, and in backward once more with grad, followed by a
backward pass of its own. `node.apply()` runs a Function's backward outside of the engine. Its inner pass is intercepted, so no
parameter gets a gradient and no hook runs: what counts is where the pass begins and which leaves it ends at.

An inner leaf stands for the argument whose gradient it becomes: that is the storage of what the Function returns. A root
belongs to the output whose gradient it is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from gradscan.boundary import Boundary, Edge, edge_of, find_nodes, make_boundary
from gradscan.engine import backward_intercepted


@dataclasses.dataclass
class Applied:
    """One call of a Function's apply()."""

    node: Any
    name: str
    arguments: tuple[Any, ...]
    outputs: tuple[Any, ...]
    source: str
    place: str
    module: str
    parent: int | None  # number of the region around it
    flops: range  # positions of what its forward costs in the observer's list


def is_function_of_user(node: Node) -> bool:
    """Whether it is of a torch.autograd.Function that is neither torch's own, such as those of module hooks, nor gradscan's."""
    function = getattr(type(node), "_forward_cls", None)
    return isinstance(node, BackwardCFunction) and not getattr(function, "__module__", "").startswith(("torch.", "gradscan."))


class Replay:
    """One run of the backward of `applied`. `is_outer` tells whether a leaf belongs to what is outside."""

    def __init__(self, applied: Applied, is_outer: Callable[[Node], bool]) -> None:
        self.passes = 0
        self.is_known = True  # whether a region can say what the backward runs
        self.numbers = range(0)  # of the nodes that the run has created
        self.roots: list[Edge] = []
        self.inner_leaves: dict[Node, Edge] = {}  # the arguments that they stand for
        self._applied, self._is_outer = applied, is_outer
        self._zeros = [torch.zeros_like(o) if isinstance(o, torch.Tensor) else None for o in applied.outputs]
        self._gradients: list[Any] = []
        self._leaves: dict[Node, torch.Tensor] = {}
        self._given: list[Any] = []  # for each tensor among the arguments: its gradient

    def run(self) -> None:
        """Raises what the backward raises."""
        first = _get_sequence_nr()
        with torch.no_grad(), backward_intercepted(self._inner_pass):
            returned = self._applied.node.apply(*self._zeros)
        self.numbers = range(first, _get_sequence_nr())
        returned = returned if isinstance(returned, tuple) else (returned,)
        pairs = zip(self._applied.arguments, returned, strict=False)
        self._given = [gradient for argument, gradient in pairs if isinstance(argument, torch.Tensor)]

    def _inner_pass(self, roots: Sequence[Any], gradients: Sequence[Any], inputs: Sequence[Any]) -> None:
        self.passes += 1
        if self.passes > 1 or inputs:
            self.is_known = False
            return
        with torch._C.DisableTorchFunction():
            edges = [edge_of(root) if isinstance(root, torch.Tensor) else (root.node, root.output_nr) for root in roots]
            self.roots = [edge for edge in edges if edge]
            self._gradients = list(gradients)
            found: list[Any] = find_nodes(node for node, _ in self.roots)
            self._leaves = {node: node.variable for node in found if hasattr(node, "variable") and not self._is_outer(node)}
            for leaf in self._leaves.values():
                leaf.grad = torch.zeros_like(leaf)

    def fill(self, begin: Boundary) -> Boundary:
        """Makes `begin` the side of the arguments, and returns that of the outputs."""
        node, tensors = self._applied.node, [a for a in self._applied.arguments if isinstance(a, torch.Tensor)]
        begin.tensors, begin.slots = tensors, list(range(len(tensors)))
        begin.next = [(target, slot) if target is not None else None for target, slot in node.next_functions]
        self._match_leaves(begin)
        outputs = [output for output in self._applied.outputs if isinstance(output, torch.Tensor)]
        numbers = iter(range(len(outputs)))
        slots = [next(numbers) if isinstance(output, torch.Tensor) else -1 for output in self._applied.outputs]
        return Boundary(node, self._match_roots(len(outputs)), slots, outputs)

    def _match_roots(self, outputs: int) -> list[Edge | None]:
        zeros = [zero for zero in self._zeros if zero is not None]
        matched: list[Edge | None] = [None] * outputs
        others = []
        for edge, gradient in zip(self.roots, self._gradients, strict=False):
            slot = next((k for k, zero in enumerate(zeros) if zero is gradient and matched[k] is None), None)
            if slot is None:
                others.append(edge)
            else:
                matched[slot] = edge
        free = [slot for slot in range(outputs) if matched[slot] is None]
        for slot, edge in zip(free, others, strict=False):
            matched[slot] = edge
        return matched + others[len(free) :]

    def _match_leaves(self, begin: Boundary) -> None:
        unmatched = list(self._leaves.items())
        free = list(range(len(begin.tensors)))
        for matches in (self._is_gradient, self._is_argument, self._is_any):
            for node, leaf in list(unmatched):
                slot = next((k for k in free if matches(leaf, k, begin)), None)
                if slot is not None:
                    self.inner_leaves[node] = begin.node, slot
                    unmatched.remove((node, leaf))
                    free.remove(slot)

    def _is_gradient(self, leaf: torch.Tensor, slot: int, _: Boundary) -> bool:
        return slot < len(self._given) and _share(self._given[slot], leaf.grad)

    def _is_argument(self, leaf: torch.Tensor, slot: int, begin: Boundary) -> bool:
        return _share(begin.tensors[slot], leaf)

    def _is_any(self, _: torch.Tensor, slot: int, __: Boundary) -> bool:
        return slot < len(self._given) and self._given[slot] is not None

    def restore(self) -> None:
        """Takes the gradients of the inner leaves away."""
        for leaf in self._leaves.values():
            leaf.grad = None


def new_begin() -> Boundary:
    """A boundary that `Replay.fill` completes."""
    return make_boundary([], always=False)[0]


def _share(a: Any, b: Any) -> bool:
    return all(isinstance(t, torch.Tensor) and t.layout == torch.strided and torch._C._has_storage(t) for t in (a, b)) and (
        a.untyped_storage()._cdata == b.untyped_storage()._cdata
    )
