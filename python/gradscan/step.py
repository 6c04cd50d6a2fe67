"""A training step as the script describes it: the model, what its forward is called with, and the loss of the result."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from gradscan.ddp import Parameter
from gradscan.inputs import own_leaves
from gradscan.loss import Loss


@dataclasses.dataclass(frozen=True)
class Step:
    """`parameters` are those of the model; without `loss`, the loss is guessed (loss.py). `is_compiled`: training compiles the
    model (compiled.py)."""

    model: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loss: Loss | None
    parameters: list[Parameter]
    is_compiled: bool = False
    loss_paths: tuple[str, ...] = ()  # of the outputs that the loss was computed from without checkpointing; empty: unknown

    def own_arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """args and kwargs for one forward: containers of its own, which it may empty, with leaves in them."""
        return own_leaves(self.args), own_leaves(self.kwargs)
