"""Parameters without history: what a backward does to them is gone afterwards.

A backward adds to .grad and runs hooks: those of DistributedDataParallel, which would start an all-reduce, and those of
optimizers, which would change the weights. All of that belongs to the tensor behind the Python object. So in the block, each
parameter object has another tensor behind it that shares the memory: whoever holds the object, be it a module, a list, a
closure or the flat weights of an LSTM, uses the stand-in. Afterwards, each object has its own tensor back, with its .grad and
its hooks.

What was computed from the parameters before the block still leads to the tensors themselves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch


@contextlib.contextmanager
def stand_ins(parameters: Iterable[torch.Tensor]) -> Iterator[None]:
    """Exchanges the tensors behind `parameters` in the block."""
    with contextlib.ExitStack() as stack:
        torch.clear_autocast_cache()  # it refers to the tensors, which torch does not allow here
        for parameter in parameters:
            other = parameter.detach().requires_grad_(parameter.requires_grad)
            torch._C._swap_tensor_impl(parameter, other)
            stack.callback(torch._C._swap_tensor_impl, parameter, other)
        stack.callback(torch.clear_autocast_cache)
        yield
