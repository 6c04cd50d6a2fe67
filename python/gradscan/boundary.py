"""Where a checkpoint region begins and ends in the autograd graph.

A region runs plainly, between two autograd nodes of our own. Every tensor that crosses a boundary leaves it as an alias of
which the boundary is the gradient function, so the graph that forward leaves behind holds the region's arguments and outputs,
also those that nothing uses:

    begin: the direct tensor arguments that require grad
    end:   all floating-point outputs, also those that do not require grad, for a reentrant region makes them do so

What a kind of checkpointing then makes of it is worked out from the graph; here it is only recorded.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

Edge = tuple[Node, int]  # the receiver of a gradient, and which of its inputs it is


def edge_of(tensor: torch.Tensor) -> Edge | None:
    """Where the gradient of `tensor` goes."""
    if not tensor.requires_grad:
        return None
    edge: GradientEdge = get_gradient_edge(tensor)
    return edge.node, edge.output_nr


def number_of(node: Node) -> int:
    """Autograd numbers the nodes that a thread creates, in order."""
    numbered: Any = node  # torch's types know of _sequence_nr() in newer versions only
    return int(numbered._sequence_nr())


def edges_of(node: Node) -> list[Edge]:
    """Where a node's gradients go."""
    return [(target, slot) for target, slot in node.next_functions if target is not None]


class _Boundary(torch.autograd.Function):
    """Aliases that share memory with the tensors, but neither history nor version counter."""

    @staticmethod
    def forward(ctx: Any, token: torch.Tensor, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor.data for tensor in (token, *tensors))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise RuntimeError("the graph of a capture is never run backward")


@dataclasses.dataclass
class Boundary:
    """One side of a region. Slot k stands for the k-th tensor that was handed over."""

    node: Node
    next: list[Edge | None]  # for each slot: the gradient's way on
    slots: list[int]  # for each output of `node`: its slot; -1 for the token, which keeps the node alive
    tensors: list[torch.Tensor]  # what was handed over, kept so that their storages stay theirs
    nested: list[int] = dataclasses.field(default_factory=list)  # slots that are not at the top level of the region's result
    token: torch.Tensor | None = None


def make_boundary(tensors: list[torch.Tensor], always: bool) -> tuple[Boundary, list[torch.Tensor]]:
    """A boundary behind `tensors`, and what stands for them on its other side: aliases of all floating-point ones if `always`,
    else of those that require grad; the others are left as they are."""
    with torch._C.DisableTorchFunction():  # what counts here is not what the model is told (see as_checkpointed.py)
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
