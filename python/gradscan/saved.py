"""The memory that an autograd node keeps alive for its backward.

torch exposes the saved tensors of a built-in node as attributes _saved_..., and those of a Function written in Python as
saved_tensors. Tensors that share a storage count once.
"""

from __future__ import annotations

import functools

import torch
from torch.autograd.graph import Node


def saved_tensors(node: Node) -> tuple[list[torch.Tensor], bool]:
    """Each tensor as often as it is saved, and whether there are others that were later modified in place, which makes backward
    fail."""
    tensors, modified = [], False
    for name in _names(type(node)) or ("saved_tensors",):
        try:
            value = getattr(node, name, None)
        except RuntimeError as error:
            modified = modified or "modified by an inplace operation" in str(error)
            continue
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, torch.Tensor):
                tensors.append(item)
    return tensors, modified


def exposes_saved_tensors(node: Node) -> bool:
    """False for autograd Functions written in C++."""
    return "CppNode" not in node.name()


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith("_saved_"))
