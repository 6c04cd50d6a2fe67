"""Markers: how a traced model remembers where its checkpoint regions are.

torch.jit.trace drops every trace of torch.utils.checkpoint, and cannot trace a reentrant region at all. So a script that
exports a model calls `Regions.checkpoint` in the place of `torch.utils.checkpoint.checkpoint`: it runs the function as it is,
between two calls of the scripted functions below, which stay in the traced graph as prim::CallFunction. docs/markers.md says
what their arguments mean.

    regions = Regions()
    hidden = regions.checkpoint(block, hidden, name="blocks.3", source="model.py:17")
"""
import json
from typing import List

import torch


# The markers return aliases, never their arguments: the tracer would give the caller's tensor the name of an unchanged
# result, and a later use of the argument outside of the region would seem to be a use inside.
#
# A token goes from a region's begin to its end: the first of begin's results is the first of end's arguments. So a region
# without tensor arguments keeps its begin, whose results nothing else would use.
@torch.jit.script
def gradscan_region_begin(marker: str, tensors: List[torch.Tensor]) -> List[torch.Tensor]:
    return [torch.zeros([0])] + [tensor.view_as(tensor) for tensor in tensors]


@torch.jit.script
def gradscan_region_end(marker: str, token_and_tensors: List[torch.Tensor]) -> List[torch.Tensor]:
    return [tensor.view_as(tensor) for tensor in token_and_tensors[1:]]


@torch.jit.script
def gradscan_requires_grad(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view_as(tensor)


class Regions:
    """Marks the checkpoint regions of one trace. Their ids count from 0 in the order in which they begin."""

    def __init__(self):
        self._next = 0
        self._open: List[int] = []

    def checkpoint(self, function, *args, kind="reentrant", name="", source=""):
        """Calls function(*args) as a region of that kind. Tensors among `args` are its direct arguments; the result is a tensor
        or a tuple; tensors among its members are the region's outputs."""
        region, parent = self._next, self._open[-1] if self._open else None
        self._next += 1
        tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
        begin = {"region": region, "parent": parent, "kind": kind, "name": name, "source": source,
                 "direct": [True] * len(tensors), "requires_grad": [tensor.requires_grad for tensor in tensors]}
        token, *aliases = gradscan_region_begin(json.dumps(begin), tensors)
        self._open.append(region)
        result = function(*_replace_tensors(args, aliases))
        self._open.pop()
        members = result if isinstance(result, tuple) else (result,)
        tensors = [member for member in members if isinstance(member, torch.Tensor)]
        end = {"region": region, "direct": [True] * len(tensors)}
        aliases = gradscan_region_end(json.dumps(end), [token] + tensors)
        members = _replace_tensors(members, aliases)
        return members if isinstance(result, tuple) else members[0]


def _replace_tensors(values, tensors):
    remaining = iter(tensors)
    return tuple(next(remaining) if isinstance(value, torch.Tensor) else value for value in values)
