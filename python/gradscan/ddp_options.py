"""DistributedDataParallel's further options, beyond the flags that a file holds.

Most of them change how gradients travel, but neither when a parameter is marked nor what is averaged: `init_sync`,
`broadcast_buffers` and `forward_sync_buffers`, `skip_all_reduce_unused_params`, `batched_grad_copy`, `lazy_bucket_allocation`,
`join()` and others. Of them, gradscan says nothing. The rest:

    delay_all_reduce_named_params   DDP's Reducer ignores these parameters; a hook averages them: a note says so
    a communication hook            decides what a bucket becomes, not when DDP raises an error: a note, unless it averages
    bucket_cap_mb_list              with gradient_as_bucket_view, decides what has been averaged when DDP raises an error
    mixed_precision                 DDP marks the parameters by hooks on copies that it makes in each forward
    the Python reducer              averages each gradient by a hook of its own; nothing is marked, and no error is raised
    manual finalization             the training loop says when an iteration ends

The last four are refused. docs/how-it-works.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from gradscan.errors import Error

_AVERAGING_HOOKS = {"allreduce_hook", "fp16_compress_hook", "bf16_compress_hook"}  # of torch's own


def _shows_several_sizes(ddp: Any) -> bool:
    caps = getattr(ddp, "bucket_bytes_cap_list", ())
    return bool(ddp.gradient_as_bucket_view and caps) and not _fit(ddp, min(caps))


_REFUSED: list[tuple[Callable[[Any], bool], str]] = [
    (
        lambda ddp: getattr(ddp, "_delay_all_reduce_all_params", False),
        "delay_all_reduce_named_params names all parameters, so that DistributedDataParallel marks none: leave some out",
    ),
    (
        lambda ddp: ddp.mixed_precision is not None,
        "mixed_precision makes DistributedDataParallel mark copies of the parameters: use torch.autocast, or omit it",
    ),
    (
        lambda ddp: getattr(ddp, "_use_python_reducer", False),
        "the Python reducer marks no parameters: set torch._dynamo.config.optimize_ddp to True before the model is wrapped",
    ),
    (
        lambda ddp: getattr(ddp, "_require_manual_backward_finalization", False),
        "require_manual_backward_finalization leaves the end of backward to the training loop: set it to False",
    ),
    (
        _shows_several_sizes,
        "bucket_cap_mb_list makes buckets that gradscan does not, and gradient_as_bucket_view shows them: use bucket_cap_mb",
    ),
]


def require_replayable(ddp: DistributedDataParallel) -> None:
    """Raises Error if an option changes the verdict in a way that the replay does not show."""
    for applies, sentence in _REFUSED:
        if applies(ddp):
            raise Error(sentence)


def notes_on_options(model: torch.nn.Module) -> list[str]:
    """What a report must say of a model that is wrapped with such options."""
    if not isinstance(model, DistributedDataParallel):
        return []
    return _notes_on_delayed(model) + _notes_on_communication(model) + _notes_on_hooks(model)


def _notes_on_delayed(ddp: DistributedDataParallel) -> list[str]:
    """A hook averages them whenever one other parameter has its gradient, and nothing waits for the result."""
    delayed = {id(parameter) for parameter in ddp._delay_all_reduce_params}
    names = [name for name, parameter in ddp.module.named_parameters() if id(parameter) in delayed]
    if not names:
        return []
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [
        f"delay_all_reduce_named_params takes {shown} away from DistributedDataParallel's reducer: whether their gradients are "
        "averaged depends on what has arrived when param_to_hook_all_reduce gets its own"
    ]


def _notes_on_communication(ddp: DistributedDataParallel) -> list[str]:
    return [
        f"the communication hook {getattr(hook, '__qualname__', type(hook).__name__)} decides what becomes of the gradients: "
        "this is the verdict if it averages them"
        for hook, _ in ddp._comm_hooks
        if not _averages(hook)
    ]


def _averages(hook: Any) -> bool:
    return _module_of(hook).startswith("torch.distributed.") and getattr(hook, "__qualname__", "") in _AVERAGING_HOOKS


def _notes_on_hooks(ddp: DistributedDataParallel) -> list[str]:
    """On the wrapper itself, which gradscan does not call. explain() has one there."""
    hooks = [*ddp._forward_pre_hooks.values(), *ddp._forward_hooks.values()]
    if all(_module_of(hook).startswith("gradscan.") for hook in hooks):
        return []
    return ["DistributedDataParallel has forward hooks of its own, which did not run: register them on the model inside"]


def _module_of(function: Any) -> str:
    return str(getattr(function, "__module__", ""))


def _fit(ddp: DistributedDataParallel, cap: int) -> bool:
    """Whether all parameters are in one bucket."""
    tensors = [parameter for parameter in ddp.module.parameters() if parameter.requires_grad]
    size: int = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return size < cap
