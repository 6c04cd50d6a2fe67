"""Markers, which show in a traced model where its checkpoint regions are.

torch.jit.trace keeps no trace of torch.utils.checkpoint. Calls to the small scripted functions below do stay in the traced
graph and are saved with the model, so the file can run anywhere. gradscan recognizes them by name, and docs/markers.md
describes their arguments.

They return aliases, never their arguments: if a result were the argument itself, the tracer would rename the caller's tensor,
and a later use of the argument outside of the region would look like a use inside. A token runs from a region's begin to its
end, so that a region without tensor arguments keeps its begin.
"""

from __future__ import annotations

import functools
import json
import warnings
from types import SimpleNamespace
from typing import Any

import torch


def gradscan_region_begin(marker: str, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [torch.zeros([0])] + [tensor.view_as(tensor) for tensor in tensors]


def gradscan_region_end(marker: str, token_and_tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [tensor.view_as(tensor) for tensor in token_and_tensors[1:]]


def gradscan_requires_grad(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view_as(tensor)


@functools.cache
def _scripted() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit")  # is deprecated
        functions = (gradscan_region_begin, gradscan_region_end, gradscan_requires_grad)
        return SimpleNamespace(**{function.__name__: torch.jit.script(function) for function in functions})


def begin(text: dict[str, Any], tensors: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The token, and an alias of each tensor."""
    token, *aliases = _scripted().gradscan_region_begin(json.dumps(text), tensors)
    return token, aliases


def end(text: dict[str, Any], token: torch.Tensor, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """An alias of each tensor."""
    aliases: list[torch.Tensor] = _scripted().gradscan_region_end(json.dumps(text), [token, *tensors])
    return aliases


def requires_grad(tensor: torch.Tensor) -> torch.Tensor:
    """An alias that stands for tensor.requires_grad_()."""
    alias: torch.Tensor = _scripted().gradscan_requires_grad(tensor)
    return alias


def prepare() -> None:
    """Compiles the functions, which is impossible during a trace."""
    _scripted()
