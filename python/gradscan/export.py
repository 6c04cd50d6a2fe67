"""export(): TorchScript that keeps the checkpoint regions.

torch.jit.trace runs the model once, in its current mode. Regions run without checkpointing, between markers (markers.py), and
tracing.py adds what the tracer would lose. The file also contains gradscan.json, with what TorchScript does not know about the
training script: DistributedDataParallel's flags and order of parameters, the inputs, and the structure of forward's result.

The tracer accepts only tensors. So it gets a module that has the model's own parameters and submodules, takes the tensors among
forward's arguments one by one, and returns the tensors in forward's result.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import itertools
import json
import keyword
import os
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from gradscan import markers
from gradscan.compiled import eager, note_on_export
from gradscan.ddp import Parameter, describe_outputs, ignored_by, parameters_of, uncompiled, unwrap
from gradscan.ddp_options import notes_on_options
from gradscan.errors import Error, TracingError
from gradscan.files import replaced
from gradscan.inline import functions_inlined
from gradscan.inputs import as_arguments, bind, named_tensors, own_leaves, with_tensors
from gradscan.iterations import Forwards, require_iterations
from gradscan.loss import Loss, LossInputs
from gradscan.numbers import has_numbers, numbers_of
from gradscan.observe import Observer
from gradscan.places import Place, tensor_places
from gradscan.recomputation import run_as_trained
from gradscan.restore import unchanged
from gradscan.step import Step
from gradscan.tracing import TracingObserver, untraced
from gradscan.varying import reasons_to_drop
from gradscan.verify import NOT_VERIFIED, observe_firings
from gradscan.version import torch_version, version
from gradscan.walk import Json, describe_tensor

# The keywords of Python that TorchScript reserves as well.
_RESERVED = set(keyword.kwlist) - {"async", "await", "except", "finally", "from", "lambda", "nonlocal", "try", "yield"}
_WITHOUT_MINIMUM = (torch.uint16, torch.uint32, torch.uint64)  # torch has few operations for these


def export(
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
    """Writes `model` to `path` as TorchScript, with the checkpoint regions that it executes for these arguments.

    The model is traced in its current mode (train or eval). The model, its arguments, random number generators and torch are
    restored, within the limits that the README states.

    args, kwargs: the arguments of forward. `args` may be a single tensor.
    loss: computes the loss from forward's result. Without it, the loss is the field `loss` of the result, else the sum of those
        whose names contain "loss" if the result is a dict, else of all outputs that require grad.
    find_unused_parameters, static_graph, bucket_cap_mb: the arguments of DistributedDataParallel. If the model is already
        wrapped, DDP's own flags are used instead.
    iterations: how often forward runs besides the trace, to find out whether it always builds the same graph. The file says if
        it does not, but contains only one of the graphs. With more than one, each checkpointed function also runs a second
        time, as in backward, to find out whether it then does the same.
    verify: also runs one iteration as it is, with backward, and writes which gradients really fire (see `verify.py`).

    Raises TracingError if the model cannot be traced. `record` does not need to trace it.

    >>> gradscan.export(model, (images, targets), "detector.pt", find_unused_parameters=True)

    Then, in a shell: gradscan detector.pt
    """
    flags: Json = {
        "find_unused_parameters": find_unused_parameters,
        "static_graph": static_graph,
        "bucket_cap_mb": bucket_cap_mb,
    }
    if not os.path.basename(os.fspath(path)):
        raise Error(f"{os.fspath(path)!r} is not a file name: choose one such as model.pt")
    if os.fspath(path).endswith(".capture.json"):
        raise Error(
            f"{os.fspath(path)}: gradscan takes a file of this name for a capture: choose model.pt, say, or use gradscan.record"
        )
    wrapped = model
    model, flags = unwrap(wrapped, flags)
    notes = note_on_export(wrapped) + notes_on_options(uncompiled(wrapped))
    parameters = parameters_of(model, ignored_by(wrapped))
    _require_expressible(model, parameters)
    require_iterations(iterations)
    step = Step(model, own_leaves(as_arguments(args)), own_leaves(kwargs or {}), loss, parameters)
    trace = _Trace(step)
    with replaced(path) as temporary:
        with eager():
            traced = trace.run()
            until_end = trace.run_forwards(iterations)
        trained = dataclasses.replace(step, loss_paths=tuple(trace.loss))
        observed = _observed(trained, until_end) if verify else NOT_VERIFIED
        metadata = {
            "schema": "gradscan-export/1",
            "gradscan": version(),
            "torch": torch_version(),
            "ddp": flags,
            "regions_known": True,
            "parameters": [_describe_parameter(parameter) for parameter in parameters],
            "inputs": trace.inputs,
            "outputs": trace.outputs,
            "loss": trace.loss,
            "loss_guessed": loss is None,
            "notes": notes + trace.notes,
            **trace.describe_variation(),
            "ended": trace.ended,
            "observed": observed,
            "recomputations": trace.recomputations,
        }
        with _quiet():
            torch.jit.save(traced, temporary, _extra_files={"gradscan.json": json.dumps(metadata).encode()})


def _observed(step: Step, iterations: int) -> Json:
    """The firings by the names of the parameters, because TorchScript has an order of its own."""
    observed = observe_firings(step, iterations)
    if "firings" in observed:
        observed["firings"] = [[step.parameters[number].name, inner] for number, inner in observed["firings"]]
    return observed


class _Trace:
    """One trace. The lists have the names that they have in gradscan.json."""

    def __init__(self, step: Step) -> None:
        self.outputs: list[Json] = []
        self.loss: list[str] = []  # paths of the outputs that the loss is computed from
        self.notes: list[str] = []
        self.varying: list[str] = []
        self.ended: list[str] = []
        self._uses_outside = False
        self.recomputations: list[Json | None] = []  # for each region, how its two runs differ; empty if they were not compared
        self._regions: list[str] = []  # their names
        self._step, self._model = step, step.model
        self._bound = bind(step.model, step.args, step.kwargs)
        tensors = named_tensors(self._bound)
        self._tensors = [place.tensor for place in tensors]
        self._names = _identifiers([place.path for place in tensors])
        self.inputs = [_describe_input(name, tensor) for name, tensor in zip(self._names, self._tensors, strict=True)]
        without = [d for d, t in zip(self.inputs, self._tensors, strict=True) if has_numbers(t) and "values" not in d]
        self.notes += map(_note_without_values, without)

    def run(self) -> torch.jit.ScriptModule:
        markers.prepare()
        try:
            return self._traced()
        except Error:
            raise
        except Exception as error:
            failure = error
        self._require_forward()
        raise _tracing_error(self._model, failure) from failure

    def _traced(self) -> torch.jit.ScriptModule:
        with unchanged(self._model, dict(self._bound.arguments)), functions_inlined() as inlined, _quiet():
            with torch.enable_grad():
                traced: torch.jit.ScriptModule = torch.jit.trace(self._tracee(), tuple(self._tensors), check_trace=False)
            self.notes += [_inlined_note(name) for name in inlined]
        return traced

    def run_forwards(self, iterations: int) -> int:
        """Finds out whether another forward builds another graph. Returns how many iterations are to be observed."""
        try:
            found, not_compared = run_as_trained(self._step, iterations)
        except Exception as error:  # noqa: BLE001  the trace is worth a report
            self.notes.append(f"forward fails without a trace ({type(error).__name__}: {error})")
            return 1
        _require_no_checkpoint(found.graphs)
        self.ended += found.ended
        self.varying += [f"{sentence}: use gradscan.record, which keeps each graph" for sentence in found.difference()]
        self._add_recomputations(found, iterations, not_compared)
        return found.iterations_until_end

    def _add_recomputations(self, found: Forwards, iterations: int, not_compared: list[str]) -> None:
        """Of the graph that was traced: that of the first forward, as far as the trace has not changed it."""
        regions = found.graphs[0]["regions"]
        if iterations > 1 and [region["name"] for region in regions] != self._regions:
            self.notes.append("a forward runs other checkpoint regions than the trace, so recomputations were not checked")
            return
        self.notes += not_compared
        if iterations > 1:
            self.recomputations = [_describe_recomputation(region) for region in regions]

    def describe_variation(self) -> dict[str, list[str]]:
        dropping = reasons_to_drop(self._model)
        if self._uses_outside:  # what an iteration leaves out, the loss may still use
            return {"dropping": [], "varying": self.varying + dropping}
        return {"dropping": dropping, "varying": self.varying}

    def _require_forward(self) -> None:
        """Runs forward without a trace: an exception that it raises here is its own, and is not turned into an Error."""
        bound = self._bound
        with unchanged(self._model, dict(bound.arguments)), Observer(self._model):
            self._model(*bound.args, **bound.kwargs)

    def _tracee(self) -> torch.nn.Module:
        """The module to trace."""
        hooks = _HiddenHooks(self._model)  # the tracer would compile them, but they are to run as part of the trace

        def forward(_: Any, *tensors: torch.Tensor) -> Any:
            hooks.restore()
            return self._forward(tensors)

        names = ["self", *self._names]
        signature = inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])
        forward.__signature__ = signature  # type: ignore[attr-defined]
        name = _identifiers([type(self._model).__name__])[0]
        tracee: torch.nn.Module = type(name, (torch.nn.Module,), {"forward": forward})()
        for name in ("_parameters", "_buffers", "_non_persistent_buffers_set", "_modules", "training"):
            vars(tracee)[name] = vars(self._model)[name]
        return tracee

    def _forward(self, tensors: tuple[torch.Tensor, ...]) -> Any:
        bound = with_tensors(self._bound, tensors)
        with TracingObserver(self._model) as observer:
            output = self._model(*bound.args, **bound.kwargs)
        places = tensor_places(output, "output")
        if not places:
            raise Error(f"{type(self._model).__name__} returns no tensor: return from forward what the loss is computed from")
        with untraced():
            observer.require_inside([place.tensor for place in places])
            self._describe_outputs(output, places)
        self._regions = [region.name for region in observer.regions]
        self.notes += observer.notes()
        self.varying += observer.varying() + observer.unseen()
        return tuple(place.tensor for place in places) if len(places) > 1 else places[0].tensor

    def _describe_outputs(self, output: Any, places: list[Place]) -> None:
        self.outputs = describe_outputs(output, places)
        used = LossInputs(self._step.loss, output, places, self._step.parameters)
        self.loss = used.taken
        self.notes += used.notes()
        self._uses_outside = bool(used.used_outside)


class _HiddenHooks:
    """Removes the forward hooks of all modules until `restore`, and the backward hooks, which a trace cannot contain, until
    `unchanged` restores them."""

    def __init__(self, model: torch.nn.Module) -> None:
        dicts = [hooks for module in model.modules() for hooks in (module._forward_hooks, module._forward_pre_hooks) if hooks]
        self._hidden = [(hooks, hooks.copy()) for hooks in dicts]
        for hooks in dicts:
            hooks.clear()
        for module in model.modules():
            module._backward_hooks.clear()
            module._backward_pre_hooks.clear()

    def restore(self) -> None:
        for hooks, contents in self._hidden:
            hooks.update(contents)


def _identifiers(paths: list[str]) -> list[str]:
    """Names that TorchScript accepts: x[0] becomes x_0."""
    names: list[str] = []
    for path in paths:
        name = re.sub(r"\W+", "_", path, flags=re.ASCII).strip("_") or "input"
        if not name.isidentifier() or keyword.iskeyword(name) or name == "self":
            name = "input_" + name
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


def _describe_input(name: str, tensor: torch.Tensor) -> Json:
    described: Json = {"name": name, **describe_tensor(tensor), "requires_grad": tensor.requires_grad}
    if not has_numbers(tensor):
        return described
    if tensor.numel() and tensor.dtype != torch.bool:
        numbers = tensor.flatten().tolist() if tensor.dtype in _WITHOUT_MINIMUM else [tensor.min().item(), tensor.max().item()]
        described["range"] = [min(numbers), max(numbers)]
    values = numbers_of(tensor)
    return described if values is None else described | {"values": values}


def _describe_recomputation(region: Json) -> Json | None:
    names = {"recomputation": "difference", "mismatch": "mismatch"}
    return {to: region[name] for name, to in names.items() if name in region} or None


def _note_without_values(described: Json) -> str:
    low, high = described.get("range", (0, 1))
    return f"the values of {described['name']} are too many for the file: {low} and {high} stand for them"


def _describe_parameter(parameter: Parameter) -> Json | str:
    if not parameter.aliases:
        return parameter.name
    return {"name": parameter.name, "ddp_name": parameter.ddp_name or parameter.aliases[-1]}


def _require_expressible(model: torch.nn.Module, parameters: list[Parameter]) -> None:
    name = type(model).__name__
    if not any(parameter.requires_grad for parameter in parameters):
        raise Error(f"{name} has no parameter that requires grad: export the model as it is trained")
    ignored = [p.name for p in parameters if p.tensor.requires_grad and not p.requires_grad]
    if ignored:
        raise Error(
            f"{name} has parameters on DistributedDataParallel's ignore list, such as {ignored[0]}, which TorchScript cannot "
            "express: use gradscan.record"
        )
    names = [path for path, _ in itertools.chain(model.named_modules(), model.named_parameters(), model.named_buffers())]
    names += [type(module).__name__ for module in model.modules() if module is not model]
    unreadable = [path for path in names if not path.isascii() or _RESERVED.intersection(path.split("."))]
    if unreadable:
        raise TracingError(
            f"{name} has {unreadable[0]}, a name that TorchScript saves but cannot load: rename it, or use gradscan.record"
        )


def _tracing_error(model: torch.nn.Module, error: Exception) -> TracingError:
    name, text = type(model).__name__, str(error).strip()
    if "Cannot insert a Tensor that requires grad as a constant" in text:
        return TracingError(
            f"{name} uses a tensor that requires grad and that the tracer does not know: register it as a torch.nn.Parameter "
            "if it is one (otherwise DistributedDataParallel ignores it), or use gradscan.record"
        )
    why = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), type(error).__name__)
    return TracingError(f"{name} cannot be traced ({why}): use gradscan.record, which does not trace")


def _inlined_note(name: str) -> str:
    return f"{name} has a custom backward: the file has the operations of its forward instead"


def _require_no_checkpoint(graphs: list[Json]) -> None:
    names = [region["name"] for graph in graphs for region in graph["regions"] if region["origin"] == "Function"]
    if names:
        raise TracingError(
            f"{names[0]} is an autograd Function that runs a backward pass inside its backward, which TorchScript cannot "
            "express: use gradscan.record"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses the tracer's warnings, the relevant ones of which become notes, and the deprecation of TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", message=".*torch.jit")
        yield
