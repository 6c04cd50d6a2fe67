"""Restoring everything: the model, the random number generators, the caller's tensors.

A forward has side effects: on running statistics, counters, caches and random number generators. A trace has more. What can
change is saved beforehand and restored afterwards, even after an exception. Not saved are the parameters, because the model may
barely fit into memory and forward does not normally write to them, tensors in plain attributes, containers inside containers,
the model's own random number generators, and anything outside of the model.

    with unchanged(model, (args, kwargs)):
        model(*args, **kwargs)
"""

from __future__ import annotations

import contextlib
import functools
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from gradscan.contents import Contents
from gradscan.errors import Error
from gradscan.places import tensor_places


@contextlib.contextmanager
def unchanged(model: torch.nn.Module, inputs: Any) -> Iterator[Callable[[], None]]:
    """Restores `model`, the tensors in `inputs` and the global random number generators on exit. Yields a function that
    restores the tensors in `inputs` before that, for another forward with the same arguments."""
    modules = [_ModuleState(module) for module in model.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    buffers = [_Content(tensor) for tensor in model.buffers()]
    arguments = [_Content(place.tensor) for place in tensor_places(inputs, "")]
    restores: list[Callable[[], object]] = [module.restore for module in modules]
    restores += [functools.partial(parameter.requires_grad_, requires_grad) for parameter, requires_grad in flags]
    restores += [content.restore for content in (*buffers, *arguments)]

    def restore_arguments() -> None:
        for content in arguments:
            content.restore()

    with random_numbers_unchanged():
        try:
            yield restore_arguments
        except BaseException:
            _run_all(restores)  # the first exception is the one to raise
            raise
        failures = _run_all(restores)
    if failures:
        raise Error(f"the model or its arguments could not be restored: {failures[0]}") from failures[0]


@contextlib.contextmanager
def gradients_unchanged(tensors: Iterable[torch.Tensor]) -> Iterator[None]:
    """In the block, none of these leaves has a gradient; afterwards, each has its own back."""
    gradients = [(tensor, tensor.grad) for tensor in tensors if tensor.is_leaf]
    try:
        for tensor, _ in gradients:
            tensor.grad = None
        yield
    finally:
        for tensor, gradient in gradients:
            tensor.grad = gradient


def _run_all(restores: list[Callable[[], object]]) -> list[Exception]:
    """Runs all of them, and returns the exceptions of those that failed."""
    failures: list[Exception] = []
    for restore in restores:
        try:
            restore()
        except Exception as failure:  # noqa: BLE001  the others must still run
            failures.append(failure)
    return failures


class _ModuleState:
    """A module's attributes, which include its parameters, buffers, submodules, hooks and training flag, and the contents of
    the containers among them."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.attributes = dict(vars(module))
        self.contents = [Contents(value) for value in self.attributes.values()]

    def restore(self) -> None:
        attributes = vars(self.module)
        for name in attributes.keys() - self.attributes.keys():
            del attributes[name]
        for name, value in self.attributes.items():
            if name not in attributes or attributes[name] is not value:
                attributes[name] = value
        for contents in self.contents:
            contents.restore()


class _Content:
    """The values of a tensor, and whether it requires grad. Batch norm updates its statistics without increasing their version,
    so the values are compared. They are restored without increasing it either, because a graph of the caller's may have saved
    the tensor. Some tensors have no values that could be compared or copied ("meta", fake, some subclasses): those are taken
    for unchanged if their version and shape are."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.requires_grad, self.shape, self.version = tensor.requires_grad, tensor.shape, _version(tensor)
        self.copy: torch.Tensor | None = None
        with contextlib.suppress(Exception):  # a subclass of Tensor may not know how
            self.copy = tensor.detach().clone()

    def restore(self) -> None:
        if self._has_changed():
            if self.copy is None:
                raise Error(f"a {type(self.tensor).__name__} that forward changes cannot be copied")
            if self.tensor.shape == self.shape and self.tensor.layout == torch.strided:
                self.tensor.data.copy_(self.copy)
            else:
                self.tensor.data = self.copy
        if self.tensor.is_leaf and self.tensor.requires_grad != self.requires_grad:
            self.tensor.requires_grad_(self.requires_grad)

    def _has_changed(self) -> bool:
        if self.tensor.shape != self.shape:
            return True
        if self.copy is not None and self.tensor.layout == torch.strided:
            with contextlib.suppress(Exception):
                return not torch.equal(self.tensor, self.copy)
        return _version(self.tensor) != self.version


def _version(tensor: torch.Tensor) -> int:
    return -1 if tensor.is_inference() else int(tensor._version)  # a tensor made in inference mode counts no versions


@contextlib.contextmanager
def random_numbers_unchanged() -> Iterator[None]:
    """Restores the generators of torch (on the CPU and the devices in use), of Python and, if it is loaded, of numpy."""
    state = random.getstate()
    numpy = sys.modules.get("numpy")
    numpy_state = numpy.random.get_state() if numpy else None
    try:
        with torch.random.fork_rng(devices=_devices_in_use()):
            yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numpy_state)


def _devices_in_use() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() and torch.cuda.is_initialized() else []
