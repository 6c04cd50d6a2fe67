"""Tracing through custom autograd Functions.

TorchScript cannot express a torch.autograd.Function. So during a trace, apply() only runs the Function's forward, as ordinary
Python code with a stand-in for ctx: the graph in the file has the operations of forward where the model has one node with a
custom backward. The notes of the export name the Functions concerned. A Function whose forward has no gradient although its
backward returns one, such as a straight-through estimator, cannot be traced this way.

Calls outside of a trace, on this thread or another, run as usual.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.autograd.function import Function

from gradscan.apply import applied
from gradscan.errors import TracingError


class Context:
    """Takes the place of ctx: accepts and keeps everything, for a backward that never runs."""

    def __init__(self, tensors: tuple[Any, ...]) -> None:
        self.needs_input_grad = tuple(isinstance(t, torch.Tensor) and t.requires_grad for t in tensors)
        self.saved_tensors: tuple[Any, ...] = ()
        self.without_grad: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        self.without_grad = tensors

    def save_for_forward(self, *tensors: Any) -> None: ...

    def mark_dirty(self, *tensors: Any) -> None: ...

    def set_materialize_grads(self, value: bool) -> None: ...


def _inline(names: list[str], cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], proceed: Callable[[], Any]) -> Any:
    if torch._C._get_tracing_state() is None:
        return proceed()
    if cls.__name__ not in names:
        names.append(cls.__name__)
    context = Context(args)
    if cls.setup_context is Function.setup_context:
        result = cls.forward(context, *args, **kwargs)
    else:
        result = cls.forward(*args, **kwargs)
        cls.setup_context(context, args, result)
    if torch.is_grad_enabled() and any(context.needs_input_grad):
        _require_gradient(cls.__name__, result, context.without_grad)
    return _detached(result, context.without_grad)


def _require_gradient(name: str, result: Any, without_grad: tuple[Any, ...]) -> None:
    """Autograd gives a gradient to every floating-point result of a Function that is not marked as non-differentiable."""
    for member in result if isinstance(result, tuple) else (result,):
        is_float = isinstance(member, torch.Tensor) and (member.is_floating_point() or member.is_complex())
        if is_float and not member.requires_grad and not any(member is tensor for tensor in without_grad):
            raise TracingError(
                f"{name} has a gradient where its forward has none (like a straight-through estimator), which TorchScript "
                "cannot express: use gradscan.record"
            )


def _detached(result: Any, tensors: tuple[Any, ...]) -> Any:
    members = result if isinstance(result, tuple) else (result,)
    changed = tuple(m.detach() if any(m is tensor for tensor in tensors) else m for m in members)
    return changed if isinstance(result, tuple) else changed[0]


@contextlib.contextmanager
def functions_inlined() -> Iterator[list[str]]:
    """Yields the names of the Functions that have been inlined so far."""
    names: list[str] = []
    with applied(functools.partial(_inline, names)):
        yield names
