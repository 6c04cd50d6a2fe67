"""The differences between torch 2.7 and 2.15 that gradscan has to handle. No other module depends on the version of torch.

gradscan replaces functions of torch for a while: `checkpoint()`, `Function.apply()` and what runs a backward pass, to intercept
every call. Libraries keep references to both (`from torch.utils.checkpoint import checkpoint`,
`apply = MyFunction.apply`), so replacing torch's attributes would miss most calls. Instead, what all those references run is
replaced: the code of a Python function, or the definition of a C method. Both come as objects with the methods

    replace(stand_in)    from now on, calls run `stand_in`, a Python function
    restore()            calls run torch's own function again
    original(...)        calls torch's own function, even while it is replaced
"""

from __future__ import annotations

import ctypes
import inspect
import types
from collections.abc import Callable
from typing import Any

import torch.autograd.graph
import torch.utils.checkpoint as torch_checkpoint
from torch.autograd.function import Function

from gradscan.errors import TracingError


class PythonFunction:
    """A function written in Python, whose code is replaced. Its globals and default values remain."""

    def __init__(self, function: Any) -> None:
        self._function = function
        code, defaults, closure = function.__code__, function.__defaults__, function.__closure__
        copy = types.FunctionType(code, function.__globals__, function.__name__, defaults, closure)
        copy.__kwdefaults__ = function.__kwdefaults__
        self.original: Callable[..., Any] = copy
        self._code = code

    def replace(self, stand_in: Any) -> None:
        self._function.__code__ = stand_in.__code__

    def restore(self) -> None:
        self._function.__code__ = self._code


class _MethodDefinition(ctypes.Structure):
    """CPython's PyMethodDef, which all references to a C method share."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("documentation", ctypes.c_char_p),
    ]


# METH_VARARGS | METH_KEYWORDS, and the mask of all flags that say how CPython calls a C method.
_VARARGS_AND_KEYWORDS, _CONVENTIONS = 0x03, 0x8F


class NativeApply:
    """Function.apply() written in C. PyObject_Call, which has the same signature, takes its place, so MyFunction.apply(...)
    runs MyFunction(...). Calling a Function has no other use, and the metaclass determines what it does."""

    def __init__(self) -> None:
        bound: Any = Function.apply
        # In memory, a bound C method is the header of every object, then the pointer to its definition.
        address = ctypes.c_void_p.from_address(id(bound) + object.__basicsize__).value
        assert address is not None
        self._definition = _MethodDefinition.from_address(address)
        self._function = self._definition.function
        signature = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.py_object)
        self._call = signature(self._function)

    def original(self, cls: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call(cls, args, kwargs)

    def replace(self, stand_in: Any) -> None:
        if self._definition.name != b"apply" or self._definition.flags & _CONVENTIONS != _VARARGS_AND_KEYWORDS:
            raise TracingError("this version of torch applies custom autograd Functions in an unknown way: use gradscan.record")
        type(Function).__call__ = stand_in  # type: ignore[method-assign]
        self._definition.function = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value

    def restore(self) -> None:
        self._definition.function = self._function
        del type(Function).__call__  # the inherited one is back


def _function_apply() -> PythonFunction | NativeApply:
    """Written in Python up to torch 2.13, in C since 2.14."""
    function = getattr(Function.apply, "__func__", None)
    return PythonFunction(function) if function else NativeApply()


def _checkpoint_options() -> set[str]:
    """The keyword arguments that checkpoint() does not pass on. Torch 2.7 has neither early_stop nor, like every version up to
    2.13, respect_saved_tensors_hooks. Up to 2.13, preserve_rng_state is not in the signature but is taken from **kwargs."""
    parameters = inspect.signature(torch_checkpoint.checkpoint).parameters.values()
    return {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY} | {"preserve_rng_state"}


def stops_early(option: bool) -> bool:
    """Whether a non-reentrant checkpoint called now with early_stop=option ends its recomputation as soon as it can.
    set_checkpoint_early_stop() overrides the option; torch 2.7 has only that function, and a default in its place."""
    override: bool | None = torch_checkpoint._enable_checkpoint_early_stop
    return option if override is None else override


_implementation = getattr(torch_checkpoint, "_checkpoint_impl", None)

function_apply = _function_apply()
run_backward = PythonFunction(torch.autograd.graph._engine_run_backward)
checkpoint = PythonFunction(inspect.unwrap(torch_checkpoint.checkpoint))
checkpoint_options = _checkpoint_options()
# Since torch 2.14, checkpoint(use_reentrant=...) without a function returns a decorator. Decorated functions call this function
# with (function, args, kwargs, **options), and so does checkpoint() itself.
checkpoint_implementation = PythonFunction(_implementation) if _implementation else None
