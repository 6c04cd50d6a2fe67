"""tensor.requires_grad_() on a tensor that, with the regions really checkpointed, would not require grad.

torch then makes the tensor a leaf. But in the graph of a capture, which holds what any kind of checkpointing can need, the
tensor already has a history, and so requires_grad_() would do nothing. A node is put behind it that leads both to that history
and to a new leaf. Where the history requires grad, the leaf changes nothing; where it does not, only the leaf remains.

The node goes behind the tensor object itself, for whoever holds it.
"""

from __future__ import annotations

from typing import Any

import torch


class _Join(torch.autograd.Function):
    """Returns an alias of the tensor."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
        return tensor.data

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        raise RuntimeError("the graph of a capture is never run backward")


def add_new_leaf(tensor: torch.Tensor) -> None:
    """Puts the node behind `tensor`, which requires grad."""
    apply: Any = _Join.apply
    with torch._C.DisableTorchFunction():
        torch._C._swap_tensor_impl(tensor, apply(tensor, torch.zeros(0, requires_grad=True)))
