"""Forward's arguments by name, and the tensors in them.

>>> [(place.path, place.tensor.shape) for place in named_tensors(bind(model, (x,), {"mask": m}))]
[("x", ...), ("mask", ...)]
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from gradscan.errors import Error
from gradscan.places import Place, replace_tensors, replaceable_tensors


def as_arguments(args: Any) -> tuple[Any, ...]:
    """A single tensor may be given in the place of a tuple of arguments."""
    if isinstance(args, torch.Tensor):
        return (args,)
    if isinstance(args, (tuple, list)):
        return tuple(args)
    raise Error(f"args is a {type(args).__name__}: give a tuple of forward's positional arguments, and kwargs for the others")


def own_leaves(arguments: Any) -> Any:
    """The arguments as a forward of its own sees them: tensors with a history outside become leaves."""

    def leaf(place: Place) -> torch.Tensor:
        return place.tensor if place.tensor.is_leaf else place.tensor.detach().requires_grad_()

    return replace_tensors(arguments, leaf)


def bind(model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """The arguments by the names of forward's parameters."""
    try:
        return inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise Error(
            f"{type(model).__name__}.forward does not take these arguments ({error}): "
            "give what the training loop calls the model with"
        ) from error


def named_tensors(bound: inspect.BoundArguments) -> list[Place]:
    """The tensors among the arguments, by the argument's name and, inside of one, by path: x[0], x['mask']."""
    return [place for name, value in _named_values(bound) for place in replaceable_tensors(value, name)]


def _named_values(bound: inspect.BoundArguments) -> Iterator[tuple[str, Any]]:
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            yield from value.items()
        else:
            yield name, value


def with_tensors(bound: inspect.BoundArguments, tensors: Iterable[torch.Tensor]) -> inspect.BoundArguments:
    """The arguments with other tensors, in the order of `named_tensors`."""
    remaining = iter(tensors)
    arguments = {name: replace_tensors(value, lambda _: next(remaining)) for name, value in bound.arguments.items()}
    return inspect.BoundArguments(bound.signature, OrderedDict(arguments))
