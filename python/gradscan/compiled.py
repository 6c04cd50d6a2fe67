"""Models that are compiled.

torch.compile traces through checkpoint(). Unless its graph breaks within a region, the region becomes part of one compiled
graph, whatever `use_reentrant` says, and its backward runs no pass of its own. So it fires the hooks that a non-reentrant
region fires, and no conflict of reentrant regions occurs.

The backward of a compiled graph is a single node behind all outputs. It sends a gradient to every parameter that any of them
needs, of zeros where the loss leaves the output out, and DDP's search finds these parameters behind any output.

Whether the graph breaks shows in an iteration that is observed (verify.py). `aot_eager` compiles it, which builds the same
graphs as the other backends of torch.compile, but no kernels.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from gradscan.verify import Observed
from gradscan.walk import Json

_WITHOUT = "the model is compiled, and this is the verdict on the model without torch.compile"


def is_compiled(model: torch.nn.Module) -> bool:
    """Whether the model, as it was passed, is compiled as a whole, inside DDP or around it."""
    modules = [model, model.module] if isinstance(model, DistributedDataParallel) else [model]
    return any(hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) for module in modules)


def eager() -> contextlib.AbstractContextManager[Any]:
    """In the block, all that is compiled runs as if it were not."""
    if "torch._dynamo" not in sys.modules:  # it takes seconds to import, and nothing has been compiled
        return contextlib.nullcontext()
    stance: contextlib.AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


def note_on_export(model: torch.nn.Module) -> list[str]:
    """What an export has to say of a compiled model."""
    return [f"{_WITHOUT}: gradscan.record also sees what it does as compiled"] if is_compiled(model) else []


def make_compiled(graphs: list[Json], observed: Observed) -> list[str]:
    """Makes `graphs` those of the compiled model, whose iteration was `observed`. Returns notes on what was done."""
    if "firings" not in observed:
        return [f"{_WITHOUT}, because it could not be observed: {observed.get('reason') or observed['error']}"]
    if any(inner for _, inner in observed["firings"]):
        return [f"{_WITHOUT}: as compiled, its graph breaks within a checkpoint region, which then runs as without it"]
    for graph in graphs:
        for region in graph["regions"]:
            region["kind"] = "non_reentrant"
            region.pop("recomputation", None)
        _join_outputs(graph["outputs"])
    return [
        "the model is compiled, so its checkpoint regions are part of the compiled graph and act as non-reentrant ones; what a "
        "report says of reentrant ones holds without torch.compile"
    ]


def _join_outputs(outputs: list[Json]) -> None:
    behind = [output for output in outputs if output["edge"] is not None]
    is_found = any(output["found_by_ddp"] for output in behind)
    for output in behind:
        output["in_loss"] = True
        output["found_by_ddp"] = is_found
