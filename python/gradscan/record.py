"""record(): a few eager runs of the model, saved as a capture.

Nothing is traced, so nothing has to be traceable: data-dependent Python, custom CUDA extensions, torch.no_grad() blocks and
requires_grad_() calls all run as usual. The file has everything that gradscan needs, and no weights. docs/capture-format.md
describes it.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import torch

from gradscan.compiled import eager, is_compiled, make_compiled
from gradscan.ddp import Parameter, ignored_by, parameters_of, uncompiled, unwrap
from gradscan.ddp_options import notes_on_options
from gradscan.errors import Error
from gradscan.files import errors_of_writing, replaced
from gradscan.inputs import as_arguments, bind, named_tensors, own_leaves
from gradscan.loss import Loss
from gradscan.places import Place
from gradscan.recomputation import run_as_trained
from gradscan.step import Step
from gradscan.varying import reasons_to_drop
from gradscan.verify import NOT_VERIFIED, observe_firings
from gradscan.version import torch_version
from gradscan.walk import Json, describe_tensor


def record(
    model: torch.nn.Module,
    args: Any,
    path: str | os.PathLike[str],
    *,
    kwargs: dict[str, Any] | None = None,
    loss: Loss | None = None,
    find_unused_parameters: bool = False,
    static_graph: bool = False,
    bucket_cap_mb: float | None = None,
    iterations: int = 4,
    verify: bool = True,
) -> None:
    """Writes to `path`, whose name must end in ".capture.json", what `gradscan` needs to know about `model`.

    Runs forward with these arguments, on the model's device and in its current mode (train or eval), and, with `verify`,
    forward and backward once more. The model, its arguments, random number generators and torch are restored, within the
    limits that the README states.

    args, kwargs: the arguments of forward. `args` may be a single tensor.
    loss: computes the loss from forward's result. Without it, the loss is the field `loss` of the result, else the sum of those
        whose names contain "loss" if the result is a dict, else of all outputs that require grad.
    find_unused_parameters, static_graph, bucket_cap_mb: the arguments of DistributedDataParallel. If the model is already
        wrapped, DDP's own flags are used instead.
    iterations: how often forward runs, while its random numbers and the model's state go on as in training. The file keeps each
        different graph, so that the report can tell what DDP does when they take turns. With more than one, each checkpointed
        function also runs a second time, as in backward, to find out whether it then does the same.
    verify: also runs one iteration as it is, with backward, and writes which gradients really fire (see `verify.py`).

    >>> gradscan.record(model, (images,), "detector.capture.json", loss=lambda output: output["loss"])

    Then, in a shell: gradscan detector.capture.json
    """
    require_capture_name(path)
    flags = {"find_unused_parameters": find_unused_parameters, "static_graph": static_graph, "bucket_cap_mb": bucket_cap_mb}
    with replaced(path) as temporary:
        recorded = capture(model, as_arguments(args), kwargs or {}, loss, flags, iterations, verify)
        _write(recorded, path, temporary)


def save_capture(recorded: Json, path: str | os.PathLike[str]) -> None:
    """Writes what `capture` returned to `path`."""
    with replaced(path) as temporary:
        _write(recorded, path, temporary)


def require_capture_name(path: str | os.PathLike[str]) -> None:
    """Raises Error for a name that gradscan would not take for that of a capture."""
    if not os.path.basename(os.fspath(path)).endswith(".capture.json"):
        raise Error(f"{os.fspath(path)}: gradscan recognizes a capture by its name: choose one that ends in .capture.json")


def _write(recorded: Json, path: str | os.PathLike[str], temporary: str) -> None:
    start: Json = {"schema": "gradscan-capture/1", "model": os.path.basename(os.fspath(path))}
    further = [start | other for other in recorded.get("further", ())]
    with errors_of_writing(path), open(temporary, "w", encoding="utf-8") as file:
        json.dump(start | recorded | ({"further": further} if further else {}), file)


def capture(
    model: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    loss: Loss | None,
    flags: Json,
    iterations: int,
    verify: bool,
) -> Json:
    """The capture that docs/capture-format.md describes, without `schema` and `model`."""
    wrapped = model
    model, flags = unwrap(wrapped, flags)
    notes, parameters = notes_on_options(uncompiled(wrapped)), parameters_of(model, ignored_by(wrapped))
    if not any(parameter.requires_grad for parameter in parameters):
        raise Error(f"{type(model).__name__} has no parameter that requires grad: record the model as it is trained")
    step = Step(model, own_leaves(args), own_leaves(kwargs), loss, parameters, is_compiled(wrapped))
    inputs = [_describe_input(place) for place in named_tensors(bind(model, step.args, step.kwargs))]
    described_parameters = [_describe_parameter(parameter) for parameter in parameters]
    with eager():
        found, not_compared = run_as_trained(step, iterations)
        notes += found.notes + not_compared
    of_all_graphs: Json = {
        "torch": torch_version(),
        "written_by": torch_version(),
        "exported": flags,
        "inputs": inputs,
        "parameters": described_parameters,
        "regions_known": True,
        "loss_guessed": loss is None,
        "notes": [],
    }
    loss_paths = tuple(output["path"] for output in found.graphs[0]["outputs"] if output["in_loss"])
    trained = dataclasses.replace(step, loss_paths=loss_paths)
    observed = observe_firings(trained, found.iterations_until_end) if verify else NOT_VERIFIED
    if step.is_compiled:
        notes += make_compiled(found.graphs, observed)
    varying, dropping = list(found.varying), reasons_to_drop(model)
    if found.uses_outside:  # what an iteration leaves out, the loss may still use
        varying, dropping = varying + dropping, []
    (varying if found.ends_with_new_graph else notes).extend(found.difference())
    first, *others = (of_all_graphs | graph for graph in found.graphs)
    return first | {
        "observed": observed,
        **({"further": others, "turns": found.turns} if others else {}),
        "notes": notes,
        "dropping": dropping,
        "varying": varying,
        "ended": found.ended,
    }


def _describe_input(place: Place) -> Json:
    return {
        "name": place.path,
        **describe_tensor(place.tensor),
        "requires_grad": place.tensor.requires_grad,
        "origin": "recorded",
    }


def _describe_parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "aliases": parameter.aliases,
        **describe_tensor(parameter.tensor),
        "requires_grad": parameter.requires_grad,
        "ddp_name": parameter.ddp_name,
    }
