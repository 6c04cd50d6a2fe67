"""Tensors inside Python values, and where they are.

How deep a value is searched depends on who searches. A reentrant region sees the members of a tuple and nothing deeper.
DistributedDataParallel looks into lists, tuples, dicts and dataclasses. Tensors in any other object are known only to the code
that put them there. So each tensor comes with its place:

    >>> [place.path for place in tensor_places({"loss": t, "states": (u, v)}, "output")]
    ["output['loss']", "output['states'][0]", "output['states'][1]"]
"""

from __future__ import annotations

import copy
import dataclasses
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch

_OPAQUE = (type, types.FunctionType, types.MethodType, types.ModuleType, torch.nn.Module, torch.device, torch.dtype)


@dataclasses.dataclass(frozen=True)
class Place:
    """A tensor and the path to it."""

    tensor: torch.Tensor
    path: str  # "output", "output[1]", "output['loss']", "output.logits"
    top_level: bool  # the value itself, or a member of a tuple that is the value
    found_by_ddp: bool  # every object around it is one that DistributedDataParallel looks into


def tensor_places(value: Any, path: str) -> list[Place]:
    """All tensors in `value`, in order. A tensor that occurs twice is listed twice."""
    return list(_places(value, path, True, True, ()))


def _places(value: Any, path: str, top_level: bool, found: bool, around: tuple[int, ...]) -> Iterator[Place]:
    if isinstance(value, torch.Tensor):
        yield Place(value, path, top_level, found)
    elif id(value) not in around:
        in_tuple = isinstance(value, tuple) and not around
        found = found and (isinstance(value, (list, tuple, dict)) or dataclasses.is_dataclass(value))
        for key, member in _members(value):
            yield from _places(member, path + key, in_tuple, found, (*around, id(value)))


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        return [(f"[{k}]", member) for k, member in enumerate(value)]
    if isinstance(value, dict):
        as_attributes = dataclasses.is_dataclass(value)
        return [(f".{key}" if as_attributes else f"[{key!r}]", member) for key, member in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
        return [(f".{name}", getattr(value, name)) for name in fields]
    if isinstance(value, _OPAQUE) or not hasattr(value, "__dict__"):
        return []
    return [(f".{name}", member) for name, member in vars(value).items()]


def replace_tensors(value: Any, replace: Callable[[Place], torch.Tensor], path: str = "") -> Any:
    """A copy of `value` with each tensor replaced. Objects that are neither containers nor dataclasses are not copied."""
    return _replaced(value, replace, path, True, True)


def _replaced(value: Any, replace: Callable[[Place], torch.Tensor], path: str, top_level: bool, outermost: bool) -> Any:
    if isinstance(value, torch.Tensor):
        return replace(Place(value, path, top_level, True))

    def changed(key: str, member: Any) -> Any:
        return _replaced(member, replace, path + key, outermost and isinstance(value, tuple), False)

    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(*member) for member in _members(value)))
    if type(value) in (list, tuple):
        return type(value)(changed(*member) for member in _members(value))
    if isinstance(value, dict) and tensor_places(value, ""):
        result: Any = copy.copy(value)
        for key, member in zip(list(value), _members(value), strict=True):
            result[key] = changed(*member)
        return result
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and tensor_places(value, ""):
        result = copy.copy(value)
        for key, member in _members(value):
            object.__setattr__(result, key[1:], changed(key, member))
        return result
    return value


def replaceable_tensors(value: Any, path: str = "") -> list[Place]:
    """The tensors that `replace_tensors` replaces, in its order."""
    places: list[Place] = []

    def collect(place: Place) -> torch.Tensor:
        places.append(place)
        return place.tensor

    replace_tensors(value, collect, path)
    return places
