"""Which memory an autograd node keeps alive for its backward.

torch shows a built-in node's saved tensors as attributes _saved_..., those of a Function written in Python as saved_tensors.
Several tensors may share one storage, which counts once.
"""

from __future__ import annotations

import functools

import torch
from torch.autograd.graph import Node


def saved_tensors(node: Node) -> list[torch.Tensor]:
    """Each as often as it is saved. One that was changed in place after it was saved is left out: backward will refuse it."""
    tensors = []
    for name in _names(type(node)) or ("saved_tensors",):
        try:
            value = getattr(node, name, None)
        except RuntimeError:
            continue
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, torch.Tensor):
                tensors.append(item)
    return tensors


def tells_saved_tensors(node: Node) -> bool:
    """Functions written in C++ do not."""
    return "CppNode" not in node.name()


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith("_saved_"))
