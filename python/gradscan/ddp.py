"""What DistributedDataParallel knows of a model: which parameters, in which order, by which name, with which flags.

It takes the parameters module by module in named_modules() order, each once, and leaves out those that do not require grad or
that it was told to ignore. The position among them is the index in its messages. The name in its messages is the *last* one
under which it meets a parameter.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_leaves

from gradscan.errors import Error
from gradscan.places import Place

_MIB = 2**20


@dataclasses.dataclass
class Parameter:
    """One parameter; shared ones have aliases."""

    tensor: torch.nn.Parameter
    name: str  # the first one
    aliases: list[str]
    ddp_name: str  # the name that DDP prints, where it is not the last alias, else ""
    requires_grad: bool  # and DDP was not told to ignore it


def unwrap(model: torch.nn.Module, flags: dict[str, Any]) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The model inside of DDP and DDP's own flags; a model that is not wrapped comes back with the `flags` that were given."""
    if not isinstance(model, torch.nn.Module):
        raise Error(f"the model is a {type(model).__name__}: give a torch.nn.Module")
    cap = flags["bucket_cap_mb"]
    if cap is not None and not cap > 0:
        raise Error(f"bucket_cap_mb is {cap}: give a positive number of MiB, or leave it out")
    model = _uncompiled(model)
    if not isinstance(model, DistributedDataParallel):
        _require_usable(model)
        return model, flags
    left_alone = getattr(model, "bucket_bytes_cap_default", False)  # then DDP makes the first bucket smaller
    found = {
        "find_unused_parameters": bool(model.find_unused_parameters),
        "static_graph": bool(model.static_graph),
        "bucket_cap_mb": None if left_alone else model.bucket_bytes_cap / _MIB,
        "gradient_as_bucket_view": bool(model.gradient_as_bucket_view),
    }
    inner = _uncompiled(model.module)
    _require_usable(inner)
    return inner, found


def _uncompiled(model: torch.nn.Module) -> torch.nn.Module:
    """The module that torch.compile was given; the result of torch.compile has it as an attribute of this name."""
    return getattr(model, "_orig_mod", model)


def _require_usable(model: torch.nn.Module) -> None:
    name = type(model).__name__
    wrapped = next((path for path, module in model.named_modules() if isinstance(module, DistributedDataParallel)), None)
    if wrapped is not None:
        raise Error(f"{name} has a DistributedDataParallel inside of it, {wrapped}: give that one, with its own arguments")
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    lazy = next((path for path, tensor in tensors if torch.nn.parameter.is_lazy(tensor)), None)
    if lazy is not None:
        raise Error(f"{name} does not know the shape of {lazy} yet: run one forward first")
    if torch.is_inference_mode_enabled():
        raise Error(f"{name} has no autograd graph under torch.inference_mode(): call gradscan outside of it")


def parameters_of(model: torch.nn.Module) -> list[Parameter]:
    """All parameters in the order of named_parameters()."""
    ignored = getattr(model, "_ddp_params_and_buffers_to_ignore", ())
    printed = _last_names(model)
    names: dict[torch.nn.Parameter, list[str]] = {}
    for name, tensor in model.named_parameters(remove_duplicate=False):
        if name not in names.setdefault(tensor, []):
            names[tensor].append(name)
    parameters = []
    for tensor, (first, *aliases) in names.items():
        managed = tensor.requires_grad and first not in ignored
        ddp_name = printed[tensor] if printed[tensor] != (aliases or [first])[-1] else ""
        parameters.append(Parameter(tensor, first, aliases, ddp_name, managed))
    return parameters


def describe_outputs(output: Any, places: list[Place]) -> list[dict[str, Any]]:
    """How DistributedDataParallel sees the tensors in forward's result: whether it finds them (it looks into lists, tuples,
    dicts and dataclasses), whether it puts its sink behind them (it takes the result apart as torch's pytrees do), and whether
    they are the result itself or members of the tuple that is."""
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


def _last_names(model: torch.nn.Module) -> dict[torch.nn.Parameter, str]:
    names = {}
    for path, module in model.named_modules():
        for name, tensor in module.named_parameters(recurse=False):
            names[tensor] = f"{path}.{name}" if path else name
    return names
