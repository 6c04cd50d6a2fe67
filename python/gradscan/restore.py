"""Leaving everything as it was: model, random numbers, the caller's tensors.

A forward changes more than it returns: running statistics, counters, caches, the state of random number generators; a trace
changes more still. What can change is noted before and put back after, whether or not there was an exception. Parameters are
not copied, for a model may just fit into memory; forward does not write to them.

    with unchanged(model, (args, kwargs)):
        model(*args, **kwargs)
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import torch

from gradscan.places import tensor_places

_CONTAINERS = (dict, list, set)


@contextlib.contextmanager
def unchanged(model: torch.nn.Module, inputs: Any) -> Iterator[None]:
    """Restores `model`, the tensors in `inputs` and all random number generators on leaving."""
    modules = [_ModuleState(module) for module in model.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    contents = [_Content(tensor) for tensor in model.buffers()]
    contents += [_Content(place.tensor) for place in tensor_places(inputs, "")]
    with random_numbers_unchanged():
        try:
            yield
        finally:
            for module in modules:
                module.restore()
            for parameter, requires_grad in flags:
                if parameter.requires_grad != requires_grad:
                    parameter.requires_grad = requires_grad
            for content in contents:
                content.restore()


class _ModuleState:
    """A module's attributes: which they are, and what the containers among them hold. Parameters, buffers, submodules, hooks
    and the training flag are among them."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.attributes = dict(vars(module))
        self.containers = [(value, value.copy()) for value in self.attributes.values() if isinstance(value, _CONTAINERS)]

    def restore(self) -> None:
        vars(self.module).clear()
        vars(self.module).update(self.attributes)
        for container, contents in self.containers:
            if isinstance(container, list):
                container[:] = contents
            else:
                container.clear()
                container.update(contents)


class _Content:
    """The numbers in a tensor, and whether it requires grad. Batch norm changes its statistics without counting a new version,
    so the numbers are compared; and they are put back without counting one, for a graph of the caller's may have saved the
    tensor."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.requires_grad = tensor.requires_grad
        self.copy = tensor.detach().clone()

    def restore(self) -> None:
        if not torch.equal(self.tensor, self.copy):
            self.tensor.data.copy_(self.copy)
        if self.tensor.is_leaf and self.tensor.requires_grad != self.requires_grad:
            self.tensor.requires_grad_(self.requires_grad)


@contextlib.contextmanager
def random_numbers_unchanged() -> Iterator[None]:
    """Restores the generators of torch (CPU and the devices in use), Python and, where it is loaded, numpy."""
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
