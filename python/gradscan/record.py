"""record(): one eager run of the model, saved as a capture.

Nothing is traced, so nothing has to be traceable: data-dependent Python, custom CUDA extensions, torch.no_grad() blocks and
requires_grad_() calls all run as usual. The file has everything that gradscan needs, and no weights. docs/capture-format.md
describes it.
"""

from __future__ import annotations

import json
import os
from typing import Any

import torch

from gradscan.ddp import Parameter, describe_outputs, parameters_of, unwrap
from gradscan.errors import Error
from gradscan.files import errors_of_writing, replaced
from gradscan.inputs import as_arguments, bind, named_tensors, own_leaves
from gradscan.loss import Loss, LossInputs
from gradscan.observe import Observer
from gradscan.places import Place, tensor_places
from gradscan.restore import unchanged
from gradscan.varying import reasons_to_vary
from gradscan.verify import NOT_VERIFIED, observe_firings
from gradscan.version import torch_version
from gradscan.walk import Json, Walk, describe_tensor


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
    verify: bool = True,
) -> None:
    """Writes to `path`, whose name must end in ".capture.json", what `gradscan` needs to know about `model`.

    Runs forward once with these arguments, on the model's device and in its current mode (train or eval), and, with `verify`,
    forward and backward once more. The model, its arguments, random number generators and torch are restored, within the
    limits that the README states.

    args, kwargs: the arguments of forward. `args` may be a single tensor.
    loss: computes the loss from forward's result. Without it, every output that requires grad counts as part of the loss.
    find_unused_parameters, static_graph, bucket_cap_mb: the arguments of DistributedDataParallel. If the model is already
        wrapped, DDP's own flags are used instead.
    verify: also runs one iteration as it is, with backward, and writes which gradients really fire (see `verify.py`).

    >>> gradscan.record(model, (images,), "detector.capture.json", loss=lambda output: output["loss"])

    Then, in a shell: gradscan detector.capture.json
    """
    name = os.path.basename(os.fspath(path))
    if not name.endswith(".capture.json"):
        raise Error(f"{os.fspath(path)}: gradscan recognizes a capture by its name: choose one that ends in .capture.json")
    flags = {"find_unused_parameters": find_unused_parameters, "static_graph": static_graph, "bucket_cap_mb": bucket_cap_mb}
    with replaced(path) as temporary:
        recorded = capture(model, as_arguments(args), kwargs or {}, loss, flags, verify)
        with errors_of_writing(path), open(temporary, "w", encoding="utf-8") as file:
            json.dump({"schema": "gradscan-capture/1", "model": name} | recorded, file)


def capture(
    model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], loss: Loss | None, flags: Json, verify: bool
) -> Json:
    """The capture that docs/capture-format.md describes, without `schema` and `model`."""
    model, flags = unwrap(model, flags)
    parameters = parameters_of(model)
    if not any(parameter.requires_grad for parameter in parameters):
        raise Error(f"{type(model).__name__} has no parameter that requires grad: record the model as it is trained")
    recorded = _observe(model, args, kwargs, loss, parameters)  # its graph is gone before another one is built
    observed = observe_firings(model, args, kwargs, loss, parameters) if verify else NOT_VERIFIED
    return {"torch": torch_version(), "written_by": torch_version(), "exported": flags} | recorded | {"observed": observed}


def _observe(
    model: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], loss: Loss | None, parameters: list[Parameter]
) -> Json:
    args, kwargs = own_leaves(args), own_leaves(kwargs)
    inputs = named_tensors(bind(model, args, kwargs))
    described = [_describe_input(place) for place in inputs]
    with unchanged(model, (args, kwargs)):
        alive_anyway = [*(p.tensor for p in parameters), *model.buffers(), *(place.tensor for place in inputs)]
        with Observer(model) as observer:
            output = model(*args, **kwargs)
        outputs = tensor_places(output, "output")
        used = LossInputs(loss, output, outputs, parameters)
        walk = Walk(observer, parameters, alive_anyway)
        walk.run(outputs, used.contain)
        seen_by_ddp = describe_outputs(output, outputs)
    return {
        "inputs": described,
        "parameters": [_describe_parameter(parameter) for parameter in parameters],
        "storages": walk.storages,
        "regions": walk.regions,
        "regions_known": True,
        "outputs": [a | b for a, b in zip(seen_by_ddp, walk.outputs, strict=True)],
        "nodes": walk.nodes,
        "constant_flops": walk.constant_flops,
        "notes": observer.notes() + used.notes + walk.notes,
        "varying": reasons_to_vary(model) + observer.varying(),
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
