"""Where a checkpoint region begins and ends in the autograd graph.

A region runs without checkpointing, between two autograd nodes that gradscan inserts. Every tensor that crosses a boundary
comes out as an alias whose gradient function is the boundary, so the graph that forward builds holds the region's arguments
and outputs, including those that nothing uses:

    begin: the direct tensor arguments that require grad
    end:   all floating-point outputs, including those that do not require grad, because a reentrant region makes them

What each kind of checkpointing makes of this is derived from the graph later. Here it is only recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

Edge = tuple[Node, int]  # the node that receives a gradient, and at which of its inputs


def edge_of(tensor: torch.Tensor) -> Edge | None:
    """The edge that the gradient of `tensor` takes."""
    if not tensor.requires_grad:
        return None
    edge: GradientEdge = get_gradient_edge(tensor)
    return edge.node, edge.output_nr


def number_of(node: Node) -> int:
    """Autograd numbers the nodes that a thread creates in order of creation."""
    numbered: Any = node  # torch 2.7 does not declare _sequence_nr()
    return int(numbered._sequence_nr())


def edges_of(node: Node) -> list[Edge]:
    """The edges that a node's gradients take."""
    return [(target, slot) for target, slot in node.next_functions if target is not None]


def find_nodes(roots: Iterable[Node], edges: Callable[[Node], list[Edge]] = edges_of) -> list[Node]:
    """All nodes that the roots lead to along these edges, each once, in the order in which they are found."""
    stack, found = list(roots), dict[Node, None]()
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = None
            stack += [target for target, _ in edges(node)]
    return list(found)


class _Boundary(torch.autograd.Function):
    """Returns aliases that share the tensors' memory, but not their history or version counters."""

    @staticmethod
    def forward(ctx: Any, token: torch.Tensor, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor.data for tensor in (token, *tensors))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError("the graph of a capture is never run backward")


@dataclasses.dataclass
class Boundary:
    """One side of a region. Slot k stands for the k-th tensor that crosses it."""

    node: Node
    next: list[Edge | None]  # for each slot: the edge by which the gradient leaves
    slots: list[int]  # for each output of `node`: its slot; -1 for the token, which keeps the node alive
    tensors: list[torch.Tensor]  # what crosses it, kept alive so that no storage is reused
    nested: list[int] = dataclasses.field(default_factory=list)  # slots that are not at the top level of the region's result
    token: torch.Tensor | None = None


def make_boundary(tensors: list[torch.Tensor], always: bool) -> tuple[Boundary, list[torch.Tensor]]:
    """A boundary behind `tensors`, and what stands for them on its other side: aliases of all floating-point tensors if
    `always`, else only of those that require grad. The other tensors pass unchanged."""
    with torch._C.DisableTorchFunction():  # the real requires_grad counts, not what the model sees (see as_checkpointed.py)
        return _make_boundary(tensors, always)


def _make_boundary(tensors: list[torch.Tensor], always: bool) -> tuple[Boundary, list[torch.Tensor]]:
    chosen = [k for k, tensor in enumerate(tensors) if _differentiable(tensor) and (always or tensor.requires_grad)]
    next_edges = [edge_of(tensor) for tensor in tensors]
    apply: Any = _Boundary.apply
    token, *aliases = apply(torch.zeros(0, requires_grad=True), *(tensors[k] for k in chosen))
    results = list(tensors)
    for k, alias in zip(chosen, aliases, strict=True):
        results[k] = alias
    return Boundary(token.grad_fn, next_edges, [-1, *chosen], list(tensors), token=token), results


def _differentiable(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
