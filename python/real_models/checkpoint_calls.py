"""Which parts of a model run in checkpoint(...).

    for region in checkpoint_calls(model, run): ...

checkpoint() is replaced by a function that notes which module calls it, which modules the checkpointed function calls directly,
and whether it does anything else. Nothing is computed twice, so a model on the meta device will do.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from unittest.mock import patch

import torch
import torch.utils.checkpoint
from torch import nn
from torch.nn.modules import module as module_hooks
from torch.overrides import TorchFunctionMode

READS = {"__get__", "size", "dim", "stride", "numel", "is_floating_point", "unbind", "__len__", "get_device"}


@dataclass
class Region:
    """One call of checkpoint()."""

    caller: nn.Module  # whose forward is running
    method: str  # the method that calls checkpoint(): "VisionTransformer.forward_features"
    modules: list[nn.Module] = field(default_factory=list)  # called in the region, but not by each other
    operations: set[str] = field(default_factory=set)  # run in the region, but not by a module

    @property
    def is_one_call(self):
        return len(self.modules) == 1 and not self.operations


class Watch(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.running: list[nn.Module] = []
        self.open: list[tuple[Region, int]] = []  # with the number of modules running where it begins
        self.regions: list[Region] = []

    def here(self):
        """The innermost region, unless a module runs in it."""
        return self.open[-1][0] if self.open and self.open[-1][1] == len(self.running) else None

    def begin_module(self, module, _):
        if region := self.here():
            region.modules.append(module)
        self.running.append(module)

    def end_module(self, *_):
        self.running.pop()

    def checkpoint(self, function, *args, use_reentrant=None, **kwargs):
        self.regions.append(Region(self.running[-1], method_of(self.running[-1], sys._getframe(1))))
        self.open.append((self.regions[-1], len(self.running)))
        result = function(*args, **kwargs)
        self.open.pop()
        return result

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", str(func))
        if (region := self.here()) and name not in READS:
            region.operations.add(name)
        return func(*args, **(kwargs or {}))


def method_of(module, frame):
    """The innermost method of this module that is running."""
    while frame and frame.f_locals.get("self") is not module:
        frame = frame.f_back
    return frame.f_code.co_qualname if frame else ""


def checkpoint_calls(run, *holders) -> list[Region]:
    """`holders`: Python modules that have imported checkpoint by name."""
    watch = Watch()
    hooks = [
        module_hooks.register_module_forward_pre_hook(watch.begin_module),
        module_hooks.register_module_forward_hook(watch.end_module, always_call=True),
    ]
    patches = [patch.object(holder, "checkpoint", watch.checkpoint) for holder in (torch.utils.checkpoint, *holders)]
    try:
        for one in patches:
            one.start()
        with watch:
            run()
    finally:
        for one in patches:
            one.stop()
        for hook in hooks:
            hook.remove()
    return watch.regions
