"""Tracing through custom autograd Functions.

The tracer cannot export a torch.autograd.Function. So while a trace is under way, its forward runs in its place, as any other
Python code, with a stand-in for ctx: the graph in the file has the operations of forward where the model has one node with a
backward of its own. Who exports is told which Functions this concerns.

The *code* of Function.apply is replaced for a while, because many libraries keep `apply = MyFunction.apply`.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd.function import Function

_apply: types.FunctionType = Function.apply.__func__  # type: ignore[attr-defined]
_original = types.FunctionType(_apply.__code__, _apply.__globals__, "apply", _apply.__defaults__, _apply.__closure__)
_inlined: list[str] = []  # names, while a trace is under way


class _StandIn:
    # The original refers to its class, so its code must be replaced by one that does, too.
    def apply(cls, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: N805
        __class__  # type: ignore[name-defined]  # noqa: B018
        from gradscan.inline import function_called

        return function_called(cls, args, kwargs)


class Context:
    """In the place of ctx: takes everything, keeps attributes, and has no backward to need them."""

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


def function_called(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for cls.apply()."""
    if torch._C._get_tracing_state() is None:
        return types.MethodType(_original, cls)(*args, **kwargs)
    if cls.__name__ not in _inlined:
        _inlined.append(cls.__name__)
    context = Context(args)
    if cls.setup_context is Function.setup_context:
        result = cls.forward(context, *args, **kwargs)
    else:
        result = cls.forward(*args, **kwargs)
        cls.setup_context(context, args, result)
    return _detached(result, context.without_grad)


def _detached(result: Any, tensors: tuple[Any, ...]) -> Any:
    members = result if isinstance(result, tuple) else (result,)
    changed = tuple(m.detach() if any(m is tensor for tensor in tensors) else m for m in members)
    return changed if isinstance(result, tuple) else changed[0]


@contextlib.contextmanager
def functions_inlined() -> Iterator[list[str]]:
    """Yields the names of the Functions that have been inlined so far."""
    _inlined.clear()
    _apply.__code__ = _StandIn.apply.__code__
    try:
        yield _inlined
    finally:
        _apply.__code__ = _original.__code__
