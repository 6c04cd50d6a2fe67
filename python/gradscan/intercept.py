"""Intercepting every executed call of torch.utils.checkpoint.checkpoint, however it was imported.

Libraries import `checkpoint` by name, keep it in partials and wrap it, so what all these references run is replaced for a while
(see torch_versions.py). `CheckpointFunction.apply`, which reentrant calls go through, is replaced as well, for code that calls
it directly.

    with intercepted(handler):            # handler(Call(function, args, kwargs, kind))
        model(x)

Only calls on this thread are intercepted; those on other threads run as usual. Everything is restored at the end, even after an
exception.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import torch.utils.checkpoint as torch_checkpoint

from gradscan.interception import Interception
from gradscan.torch_versions import checkpoint, checkpoint_implementation, checkpoint_options, stops_early


@dataclasses.dataclass
class Call:
    """One call of checkpoint(function, *args, **kwargs)."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str  # "reentrant", "non_reentrant"
    preserve_rng_state: bool = True  # whether the recomputation draws the same random numbers
    determinism_check: str = "default"  # which metadata of recomputed tensors torch compares
    early_stop: bool = True  # whether a non-reentrant recomputation ends as soon as it has saved enough


Handler = Callable[[Call], Any]


_RESPECT = "respect_saved_tensors_hooks"

# The options that torch accepts only without use_reentrant, with their defaults.
_WITHOUT_REENTRANT: dict[str, Any] = {"context_fn": torch_checkpoint.noop_context_fn, "debug": False, _RESPECT: None}


# The code of these two runs with the globals of torch.utils.checkpoint, so they import what they call.
def _stand_in(function, *args, **kwargs):  # type: ignore[no-untyped-def]
    from gradscan.intercept import checkpoint_called

    return checkpoint_called(function, args, kwargs)


def _decorated_stand_in(function, args, kwargs, **options):  # type: ignore[no-untyped-def]
    from gradscan.intercept import decorated_called

    return decorated_called(function, args, kwargs, options)


_CheckpointFunction: Any = torch_checkpoint.CheckpointFunction
_original_apply = _CheckpointFunction.apply


def checkpoint_called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs in place of checkpoint()."""
    if not _interception.handlers or function is None:
        return checkpoint.original(function, *args, **kwargs)
    options = {name: kwargs.pop(name) for name in checkpoint_options if name in kwargs}
    return _hand_over(function, args, kwargs, options)


def decorated_called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Any:
    """Runs in place of what a function decorated with checkpoint() calls."""
    if not _interception.handlers:
        assert checkpoint_implementation is not None
        return checkpoint_implementation.original(function, args, kwargs, **options)
    return _hand_over(function, args, kwargs, options)


def _hand_over(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Any:
    reentrant = options.get("use_reentrant")
    reentrant = True if reentrant is None else bool(reentrant)
    _require_valid(reentrant, kwargs, options)
    if "context_fn" in options:
        function = _under_context(function, options)
    kind, preserve = "reentrant" if reentrant else "non_reentrant", options.get("preserve_rng_state", True)
    check = "default" if reentrant else options.get("determinism_check", "default")
    call = Call(function, args, kwargs, kind, preserve, check, stops_early(options.get("early_stop", True)))
    return _interception.handlers[-1](call)


def _require_valid(reentrant: bool, kwargs: dict[str, Any], options: dict[str, Any]) -> None:
    """Raises what torch raises."""
    given = [name for name, default in _WITHOUT_REENTRANT.items() if options.get(name, default) is not default]
    if reentrant and kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if reentrant and given:
        raise ValueError(f"Passing {', '.join(given)} is only supported when use_reentrant=False.")
    known = list(torch_checkpoint._allowed_determinism_checks_to_fns)
    if not reentrant and options.get("determinism_check", "default") not in known:
        raise ValueError(f"determinism_check should be one of {known}, but got {options['determinism_check']}")
    if "context_fn" in given and options.get("debug"):
        raise ValueError("debug=True is incompatible with non-default context_fn")


def _under_context(function: Any, options: dict[str, Any]) -> Any:
    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        context = options["context_fn"]()[0]
        if hasattr(context, _RESPECT):  # a context of torch's own, which learns only from checkpoint() what it was called with
            setattr(context, _RESPECT, options.get(_RESPECT))
        with context:
            return function(*args, **kwargs)

    return run


def _apply_called(function: Any, preserve_rng_state: bool, *args: Any) -> Any:
    if not _interception.handlers:
        return _original_apply(function, preserve_rng_state, *args)
    call = Call(function, args, {}, "reentrant", preserve_rng_state, early_stop=stops_early(True))
    return _interception.handlers[-1](call)


def _replace() -> None:
    checkpoint.replace(_stand_in)
    if checkpoint_implementation:
        checkpoint_implementation.replace(_decorated_stand_in)
    _CheckpointFunction.apply = staticmethod(_apply_called)


def _restore() -> None:
    checkpoint.restore()
    if checkpoint_implementation:
        checkpoint_implementation.restore()
    del _CheckpointFunction.apply  # the inherited one is back


_interception = Interception[Handler](_replace, _restore)


def intercepted(handler: Handler) -> contextlib.AbstractContextManager[None]:
    """Passes this thread's calls of checkpoint() to `handler` and returns its results from them."""
    return _interception.by(handler)
