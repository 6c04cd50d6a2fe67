"""Noticing every executed call of torch.utils.checkpoint.checkpoint, however it was imported.

Libraries import `checkpoint` by name, keep it in partials and wrap it, so replacing the name in torch's module would miss most
calls. All of them run the same function object in the end, the innermost of what is called `checkpoint`; so the *code* of that
object is replaced for a while. `CheckpointFunction.apply`, which reentrant calls go through, is replaced too, for those who
call it themselves.

    with intercepted(handler):            # handler(Call(function, args, kwargs, kind))
        model(x)

Only the calls of this thread are handed over; those of others run as always. Everything is put back at the end, also after an
exception.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch.utils.checkpoint as torch_checkpoint

# What the checkpoint functions of torch 2.x take for themselves; all other keywords belong to the checkpointed function.
_OWN_KEYWORDS = ("use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop")


@dataclasses.dataclass
class Call:
    """One call of checkpoint(function, *args, **kwargs)."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str  # "reentrant", "non_reentrant"


Handler = Callable[[Call], Any]


class _Interception(threading.local):
    """Who handles the calls of this thread; the innermost last."""

    def __init__(self) -> None:
        self.handlers: list[Handler] = []


_interception = _Interception()
_lock = threading.Lock()
_users = 0  # threads that intercept at the moment: the code is replaced while there is one


def _innermost(function: Any) -> types.FunctionType:
    return inspect.unwrap(function)


def _copy(function: types.FunctionType) -> types.FunctionType:
    copied = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


# Its code runs with the globals of torch.utils.checkpoint.
def _stand_in(function, *args, **kwargs):  # type: ignore[no-untyped-def]
    from gradscan.intercept import checkpoint_called

    return checkpoint_called(function, args, kwargs)


_checkpoint = _innermost(torch_checkpoint.checkpoint)
_original = _copy(_checkpoint)
_original_apply = torch_checkpoint.CheckpointFunction.apply


def checkpoint_called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for checkpoint()."""
    if not _interception.handlers:
        return _original(function, *args, **kwargs)
    own = {name: kwargs.pop(name) for name in _OWN_KEYWORDS if name in kwargs}
    reentrant = own.get("use_reentrant")
    reentrant = True if reentrant is None else bool(reentrant)
    if reentrant and kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if "context_fn" in own and not reentrant:
        function = _under_context(function, own["context_fn"])
    return _interception.handlers[-1](Call(function, args, kwargs, "reentrant" if reentrant else "non_reentrant"))


def _under_context(function: Any, context_fn: Callable[[], Any]) -> Any:
    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        with context_fn()[0]:
            return function(*args, **kwargs)

    return run


def _apply_called(function: Any, preserve_rng_state: bool, *args: Any) -> Any:
    if not _interception.handlers:
        return _original_apply(function, preserve_rng_state, *args)
    return _interception.handlers[-1](Call(function, args, {}, "reentrant"))


def _replace() -> None:
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _checkpoint.__code__ = _stand_in.__code__
            torch_checkpoint.CheckpointFunction.apply = staticmethod(_apply_called)  # type: ignore[method-assign]


def _put_back() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            _checkpoint.__code__ = _original.__code__
            del torch_checkpoint.CheckpointFunction.apply  # the inherited one is back


@contextlib.contextmanager
def intercepted(handler: Handler) -> Iterator[None]:
    """Hands this thread's checkpoint calls to `handler`, whose result becomes the call's."""
    _replace()
    _interception.handlers.append(handler)
    try:
        yield
    finally:
        _interception.handlers.pop()
        _put_back()
