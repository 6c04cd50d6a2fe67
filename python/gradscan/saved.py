"""Which memory an autograd node keeps alive for its backward.

torch shows a built-in node's saved tensors as attributes _saved_..., those of a Function written in Python as saved_tensors.
Several tensors may share one storage, which counts once.
"""

from __future__ import annotations

import functools

import torch
from torch.autograd.graph import Node


def saved_tensors(node: Node) -> tuple[list[torch.Tensor], bool]:
    """Each as often as it is saved; and whether there are more, which were changed in place later, so that backward refuses
    them."""
    tensors, changed = [], False
    for name in _names(type(node)) or ("saved_tensors",):
        try:
            value = getattr(node, name, None)
        except RuntimeError as error:
            changed = changed or "modified by an inplace operation" in str(error)
            continue
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, torch.Tensor):
                tensors.append(item)
    return tensors, changed


def tells_saved_tensors(node: Node) -> bool:
    """Functions written in C++ do not."""
    return "CppNode" not in node.name()


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith("_saved_"))
