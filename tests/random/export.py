"""From a model to the TorchScript file that gradscan reads: a trace with markers, see docs/markers.md."""
from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

from measure import load, new_model
from source import source
from spec import ROWS, WIDTH, Model, accesses

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from gradscan_markers import gradscan_region_begin, gradscan_region_end, gradscan_requires_grad  # noqa: E402


class Markers(TorchFunctionMode):
    """Has checkpoint() and requires_grad_() in the trace."""

    def __init__(self) -> None:
        self.regions = 0
        self.open: list[int] = []

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = function(*args, **(kwargs or {}))
        return gradscan_requires_grad(result) if function is torch.Tensor.requires_grad_ else result

    def checkpoint(self, function: Callable, *args: Any, use_reentrant: bool) -> Any:
        region, parent = self.regions, self.open[-1] if self.open else None
        self.regions += 1
        tensors = tree_leaves(args)
        begin = {"region": region, "parent": parent, "kind": "reentrant" if use_reentrant else "non_reentrant",
                 "name": function.__name__, "direct": directness(args), "requires_grad": [t.requires_grad for t in tensors]}
        token, *aliases = gradscan_region_begin(json.dumps(begin), tensors)
        self.open.append(region)
        result = function(*with_tensors(args, aliases))
        self.open.pop()
        tensors = [leaf for leaf in tree_leaves(result) if leaf is not None]
        members = result if isinstance(result, tuple) else (result,)
        end = {"region": region, "direct": directness(members)}
        return with_tensors(result, gradscan_region_end(json.dumps(end), [token] + tensors))


def directness(values: tuple) -> list[bool]:
    return [value is leaf for value in values for leaf in tree_leaves(value) if leaf is not None]


def with_tensors(values: Any, tensors: list[torch.Tensor]) -> Any:
    remaining = iter(tensors)
    return tree_map_only(torch.Tensor, lambda _: next(remaining), values)


def export(model: Model, folder: Path) -> list[str]:
    """Writes one file for each body of the model; their names."""
    files = []
    for at, body in enumerate(model.bodies):
        files.append(str(folder / f"{at}.pt"))
        export_body(replace(model, bodies=[body]), files[-1])
    return files


def export_body(model: Model, file: str) -> None:
    """The model has one body."""
    module, markers = load(source(model)), Markers()
    module.checkpoint = markers.checkpoint
    eager, _ = new_model(module)
    forward = eager.forward
    access = accesses(model.form, len(model.bodies[0].outs))
    if model.form in ("with_none", "dataclass", "hidden"):
        get = eval(f"lambda output: ({', '.join('output' + each for each in access)},)")
        eager.forward = lambda x, y: get(forward(x, y))
    inputs = module.inputs(0, 0)
    with warnings.catch_warnings(), markers:
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(eager, inputs, check_trace=False, strict=False)
    torch.jit.save(traced, file, _extra_files={"gradscan.json": json.dumps(metadata(model, eager, access))})


def metadata(model: Model, eager: torch.nn.Module, access: list[str]) -> dict[str, Any]:
    ddp_names = {id(parameter): f"{path}.{name}" for path, module in eager.named_modules()
                 for name, parameter in module.named_parameters(recurse=False)}
    stated = {"parameters": [{"name": name, "ddp_name": ddp_names[id(parameter)]}
                             for name, parameter in eager.named_parameters()]}
    shared = any(layer.same is not None or layer.tied is not None for layer in model.layers)  # by one module or by two?
    return {"schema": "gradscan-export/1", "torch": torch.__version__.split("+")[0],
            "inputs": [{"name": name, "dtype": "float32", "shape": [ROWS, WIDTH], "requires_grad": requires_grad}
                       for name, requires_grad in (("x", model.x_requires_grad), ("y", False))],
            "outputs": [place(model.form, each) for each in access],
            **(stated if shared else {})}


def place(form: str, access: str) -> dict[str, Any]:
    """Who finds an output: DDP's search, its sink, a reentrant checkpoint around the model."""
    found = not access.endswith(".tensor")
    in_tuple = form in ("tuple", "with_none", "hidden") or access == "[0]" and form.endswith("in_tuple")
    return {"path": f"output{access}", "found_by_ddp": found, "behind_sink": found and form != "dataclass",
            "direct": found and (form == "tensor" or in_tuple)}
