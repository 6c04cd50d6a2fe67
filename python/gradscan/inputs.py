"""The arguments of forward by name, and the tensors among them.

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
    """A single tensor stands for a tuple of one argument."""
    if isinstance(args, torch.Tensor):
        return (args,)
    if isinstance(args, (tuple, list)):
        return tuple(args)
    raise Error(f"args is a {type(args).__name__}: pass forward's positional arguments as a tuple, and the others as kwargs")


def own_leaves(arguments: Any) -> Any:
    """The arguments for a separate forward: tensors that were computed outside of it become leaves."""

    def leaf(place: Place) -> torch.Tensor:
        return place.tensor if place.tensor.is_leaf else place.tensor.detach().requires_grad_()

    return replace_tensors(arguments, leaf)


def bind(model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """The arguments, bound to the names that forward gives them."""
    try:
        return inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise Error(
            f"{type(model).__name__}.forward does not accept these arguments ({error}): "
            "pass what the training loop passes to the model"
        ) from error


def named_tensors(bound: inspect.BoundArguments) -> list[Place]:
    """The tensors among the arguments. A path starts with the argument's name: x, x[0], x['mask']."""
    return [place for name, value in _named_values(bound) for place in replaceable_tensors(value, name)]


def _named_values(bound: inspect.BoundArguments) -> Iterator[tuple[str, Any]]:
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            yield from value.items()
        else:
            yield name, value


def with_tensors(bound: inspect.BoundArguments, tensors: Iterable[torch.Tensor]) -> inspect.BoundArguments:
    """The arguments with their tensors replaced, in the order of `named_tensors`."""
    remaining = iter(tensors)
    arguments = {name: replace_tensors(value, lambda _: next(remaining)) for name, value in bound.arguments.items()}
    return inspect.BoundArguments(bound.signature, OrderedDict(arguments))
