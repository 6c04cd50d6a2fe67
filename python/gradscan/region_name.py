"""The name of a checkpoint region: the path of the checkpointed module, or else the path of the module that called
checkpoint(), followed by the function's name.

    checkpoint(self.layer4[2], x)                      layer4.2
    checkpoint(inner_forward, x)   in layer4.2         layer4.2.inner_forward
    checkpoint(lambda x: ..., x)   in the model        <lambda>
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch


def region_name(function: Any, paths: Mapping[torch.nn.Module, str], caller: str) -> str:
    """`paths` are those of the model's modules, `caller` is the path of the module that called checkpoint()."""
    first_argument = None
    while isinstance(function, functools.partial):
        first_argument = function.args[0] if function.args else first_argument
        function = function.func
    if not hasattr(function, "__self__"):
        function = getattr(function, "__wrapped__", function)
    owner = getattr(function, "__self__", function)
    if isinstance(first_argument, torch.nn.Module):  # partial(Layer.forward, layer)
        owner = first_argument
    name = getattr(function, "__name__", type(function).__name__)
    if isinstance(owner, torch.nn.Module) and owner in paths:
        is_call = owner is function or name in ("forward", "__call__", "_call_impl", "_wrapped_call_impl")
        path = paths[owner]
        return path if is_call and path else ".".join(filter(None, (path, name)))
    if caller and (getattr(function, "__module__", None) or "").startswith("torch."):
        return caller  # torch checkpoints a function of its own instead of the module, to pass on keyword arguments
    return ".".join(filter(None, (caller, name)))
