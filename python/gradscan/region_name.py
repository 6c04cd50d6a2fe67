"""The name of a checkpoint region: the path of the checkpointed module, or else the path of the module that called
checkpoint(), followed by the function's name.

    checkpoint(self.layer4[2], x)                      layer4.2
    checkpoint(inner_forward, x)   in layer4.2         layer4.2.inner_forward
    checkpoint(lambda x: ..., x)   in the model        <lambda>

So it takes an eye on which module runs.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]


class RunningModules:
    """Which module of the model this thread runs."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.changes: list[tuple[int, str]] = [(0, "")]  # from this autograd node on, the path of the innermost module
        self._paths = {module: path for path, module in reversed(list(model.named_modules()))}
        self._stack = [""]
        self._thread = threading.get_ident()

    @property
    def path(self) -> str:
        """Of the innermost module that runs."""
        return self._stack[-1]

    def has_run_parameters(self, since: int) -> bool:
        """Whether a module with parameters that require grad has begun since there were that many changes."""
        begun = {path for _, path in self.changes[since:]} - {self.path}
        modules = (module for module, path in self._paths.items() if path in begun)
        return any(parameter.requires_grad for module in modules for parameter in module.parameters())

    def region_name(self, function: Any) -> str:
        """The name of the region that checkpoint(function) makes here."""
        return region_name(function, self._paths, self.path)

    def enter(self, path: str) -> None:
        """What runs from now on belongs to the module at `path`."""
        self._stack.append(path)
        self.changes.append((_get_sequence_nr(), path))

    def leave(self) -> None:
        """What runs from now on belongs to the module around."""
        if len(self._stack) > 1:
            self._stack.pop()
        self.changes.append((_get_sequence_nr(), self.path))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """In the block, the forwards of modules are noted."""
        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(self._before_forward),
            hooks.register_module_forward_hook(self._after_forward, always_call=True),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _before_forward(self, module: torch.nn.Module, _: Any) -> None:
        if threading.get_ident() == self._thread:
            self.enter(self._paths.get(module, self.path))

    def _after_forward(self, *_: Any) -> None:
        if threading.get_ident() == self._thread:
            self.leave()


def region_name(function: Any, paths: Mapping[torch.nn.Module, str], caller: str) -> str:
    """`paths` are those of the model's modules, `caller` is the path of the module that called checkpoint()."""
    first_argument = None
    while isinstance(function, functools.partial):
        first_argument = function.args[0] if function.args else first_argument
        function = function.func
    if not hasattr(function, "__self__"):
        function = getattr(function, "__wrapped__", function)
    owner = getattr(function, "__self__", function)
    if isinstance(first_argument, torch.nn.Module):  # partial(Layer.forward, layer)
        owner = first_argument
    name = getattr(function, "__name__", type(function).__name__)
    if isinstance(owner, torch.nn.Module) and owner in paths:
        is_call = owner is function or name in ("forward", "__call__", "_call_impl", "_wrapped_call_impl")
        path = paths[owner]
        return path if is_call and path else ".".join(filter(None, (path, name)))
    if caller and (getattr(function, "__module__", None) or "").startswith("torch."):
        return caller  # torch checkpoints a function of its own instead of the module, to pass on keyword arguments
    return ".".join(filter(None, (caller, name)))
