"""How DistributedDataParallel sees a model: its parameters, their order and names, and DDP's flags.

DDP collects the parameters module by module in named_modules() order, each one once, and skips those that do not require grad
or that are on its ignore list. A parameter's position in that order is the index in DDP's messages. The name in the messages
is the *last* one under which DDP encounters the parameter.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_leaves

from gradscan.ddp_options import require_replayable
from gradscan.errors import Error
from gradscan.places import Place

_MIB = 2**20


@dataclasses.dataclass
class Parameter:
    """One parameter. Shared parameters have aliases."""

    tensor: torch.nn.Parameter
    name: str  # its first name
    aliases: list[str]
    ddp_name: str  # the name that DDP prints if that is not the last alias, else ""
    requires_grad: bool  # and is not on DDP's ignore list


def unwrap(model: torch.nn.Module, flags: dict[str, Any]) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The model inside DDP, with DDP's own flags. A model that is not wrapped is returned with `flags`."""
    if not isinstance(model, torch.nn.Module):
        raise Error(f"the model is a {type(model).__name__}: pass a torch.nn.Module")
    cap = flags["bucket_cap_mb"]
    if cap is not None and not cap > 0:
        raise Error(f"bucket_cap_mb is {cap}: pass a positive number of MiB, or omit it")
    model = uncompiled(model)
    if not isinstance(model, DistributedDataParallel):
        _require_usable(model)
        return model, flags
    require_replayable(model)
    is_default = getattr(model, "bucket_bytes_cap_default", False)  # only then does DDP make the first bucket smaller
    found = {
        "find_unused_parameters": bool(model.find_unused_parameters),
        "static_graph": bool(model.static_graph),
        "bucket_cap_mb": None if is_default else model.bucket_bytes_cap / _MIB,
        "gradient_as_bucket_view": bool(model.gradient_as_bucket_view),
    }
    inner = uncompiled(model.module)
    _require_usable(inner)
    return inner, found


def uncompiled(model: torch.nn.Module) -> torch.nn.Module:
    """The module that was passed to torch.compile, which keeps it under this name."""
    return getattr(model, "_orig_mod", model)


def _require_usable(model: torch.nn.Module) -> None:
    name = type(model).__name__
    wrapped = next((path for path, module in model.named_modules() if isinstance(module, DistributedDataParallel)), None)
    if wrapped is not None:
        raise Error(f"{name} contains a DistributedDataParallel, {wrapped}: pass that module, with its own arguments")
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    lazy = next((path for path, tensor in tensors if torch.nn.parameter.is_lazy(tensor)), None)
    if lazy is not None:
        raise Error(f"{name} has not initialized the shape of {lazy} yet: run one forward first")
    if torch.is_inference_mode_enabled():
        raise Error(f"{name} builds no autograd graph under torch.inference_mode(): call gradscan outside of it")


def ignored_by(model: torch.nn.Module) -> set[str]:
    """DDP's ignore list for the model, as it was passed."""
    model = uncompiled(model)
    if isinstance(model, DistributedDataParallel):
        return set(model.parameters_to_ignore)
    return set(getattr(model, "_ddp_params_and_buffers_to_ignore", ()))


def parameters_of(model: torch.nn.Module, ignored: set[str]) -> list[Parameter]:
    """All parameters in the order of named_parameters()."""
    printed, managed = _last_names(model), _managed(model, ignored)
    names: dict[torch.nn.Parameter, list[str]] = {}
    for name, tensor in model.named_parameters(remove_duplicate=False):
        if name not in names.setdefault(tensor, []):
            names[tensor].append(name)
    parameters = []
    for tensor, (first, *aliases) in names.items():
        ddp_name = printed[tensor] if printed[tensor] != (aliases or [first])[-1] else ""
        parameters.append(Parameter(tensor, first, aliases, ddp_name, tensor in managed))
    return parameters


def describe_outputs(output: Any, places: list[Place]) -> list[dict[str, Any]]:
    """How DistributedDataParallel sees the tensors in forward's result: whether it finds them (it looks into lists, tuples,
    dicts and dataclasses), whether it puts its sink behind them (it flattens the result as torch's pytrees do), and whether
    each one is the result itself or a member of the tuple that is the result."""
    sunk = {id(leaf) for leaf in tree_leaves(output)}
    return [
        {
            "path": place.path,
            "found_by_ddp": place.found_by_ddp,
            "behind_sink": id(place.tensor) in sunk,
            "direct": place.top_level,
        }
        for place in places
    ]


def _managed(model: torch.nn.Module, ignored: set[str]) -> set[torch.nn.Parameter]:
    """Those that require grad and have a name that is not ignored. DDP puts a dot even before those of the model itself."""
    return {
        tensor
        for path, module in model.named_modules()
        for name, tensor in module.named_parameters(recurse=False)
        if tensor.requires_grad and f"{path}.{name}" not in ignored
    }


def _last_names(model: torch.nn.Module) -> dict[torch.nn.Parameter, str]:
    names = {}
    for path, module in model.named_modules():
        for name, tensor in module.named_parameters(recurse=False):
            names[tensor] = f"{path}.{name}" if path else name
    return names
