"""Adding to a trace what torch.jit.trace loses.

The tracer maps each tensor to a value in its graph, and only operations change that mapping. During a trace, this module adds
what is missing:

  - checkpoint regions: markers around them;
  - `requires_grad_()`: a marker;
  - `torch.no_grad()`: what is computed there is detached, and so are its inputs, because a result may be written into a buffer
    or weight;
  - `tensor.data`: detached, where the tracer would see a constant;
  - operations that return their argument itself, like dropout with p=0 or contiguous(): the tracer maps the *argument* to the
    result's value, so a weight that is used again later would seem to come out of the region that used it first. The argument
    gets its own value back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from gradscan import markers
from gradscan.boundary import number_of
from gradscan.errors import TracingError
from gradscan.intercept import Call
from gradscan.observe import Observer, is_requires_grad, reads_value
from gradscan.places import Place

# torch._C.Value. For a tensor that requires grad and was created outside of the trace, torch raises an error. Nothing catches
# it, because a second attempt would crash.
Value = Any

_C: Any = torch._C  # its functions for tracing have no types


class TracingObserver(Observer):
    """Observes a forward during its trace, and marks the regions."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__(model)
        self._tokens: dict[int, torch.Tensor] = {}
        self._closed: list[tuple[int, int, str]] = []  # ended regions: nodes first < number < last, and the name

    def require_inside(self, tensors: list[torch.Tensor]) -> None:
        """Rejects tensors that have left a region other than as its result, because the trace would not show it."""
        for tensor in tensors:
            number = number_of(tensor.grad_fn) if tensor.grad_fn is not None else -1
            for first, last, name in reversed(self._closed):
                if first < number < last:
                    raise TracingError(
                        f"a tensor leaves checkpoint region {name} other than as its result (in an attribute or cache), "
                        "which TorchScript cannot express: use gradscan.record"
                    )
                if last < number:
                    break

    def _modes(self) -> list[Any]:
        return [_TracedCalls(self)]

    def begin_region(self, call: Call, arguments: list[torch.Tensor]) -> tuple[int, list[torch.Tensor]]:
        with untraced():
            self.require_inside(arguments)
            number, aliases = super().begin_region(call, arguments)
            region = self.regions[number]
        text = {
            "region": number,
            "parent": region.parent,
            "kind": region.kind,
            "name": region.name,
            "source": region.source,
            "place": region.place,
            "direct": [True] * len(arguments),
            "requires_grad": [argument.requires_grad for argument in arguments],
        }
        self._tokens[number], marked = markers.begin(text, arguments)
        return number, _named_after(aliases, marked, arguments)

    def end_region(self, number: int, outputs: list[Place]) -> list[torch.Tensor]:
        with untraced():
            aliases = super().end_region(number, outputs)
            region = self.regions[number]
            assert region.end is not None
            self._closed.append((number_of(region.begin.node), number_of(region.end.node), region.name))
        tensors = [place.tensor for place in outputs]
        text = {"region": number, "direct": [place.top_level for place in outputs]}
        return _named_after(aliases, markers.end(text, self._tokens.pop(number), tensors), tensors)


def _named_after(aliases: list[torch.Tensor], marked: list[torch.Tensor], originals: list[torch.Tensor]) -> list[torch.Tensor]:
    """The aliases, mapped to the marker's results in the trace."""
    named = []
    for alias, mark, original in zip(aliases, marked, originals, strict=True):
        if alias is original:
            named.append(mark)
        else:
            _C._set_value_trace(alias, _C._get_value_trace(mark))
            named.append(alias)
    return named


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """What runs in the block is not part of the trace."""
    state = _C._get_tracing_state()
    _C._set_tracing_state(None)
    try:
        yield
    finally:
        _C._set_tracing_state(state)


def _depends_on_data(value: Value) -> bool:
    """Whether it is computed from anything but sizes, which are constants in a trace."""
    stack, seen = [value], set()
    while stack:
        value = stack.pop()
        node = value.node()
        kind = node.kind()
        if kind == "prim::Param" or kind == "prim::GetAttr" or "rand" in kind or "bernoulli" in kind:
            return True
        if value.debugName() in seen or kind in (
            "aten::size",
            "prim::NumToTensor",
            "prim::Constant",
            "aten::numel",
            "aten::dim",
        ):
            continue
        seen.add(value.debugName())
        stack += list(node.inputs())
    return False


def _tensors(args: Any) -> list[torch.Tensor]:
    """The tensors among `args`, and in lists and tuples among them."""
    found = []
    for argument in args:
        if isinstance(argument, torch.Tensor):
            found.append(argument)
        elif isinstance(argument, (list, tuple)):
            found += [member for member in argument if isinstance(member, torch.Tensor)]
    return found


class _State:
    """The state of an argument before a call."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.version = tensor._version
        self.requires_grad = tensor.requires_grad
        self.value: Value = _C._get_value_trace(tensor)


@contextlib.contextmanager
def _detached(states: list[_State]) -> Iterator[None]:
    """In the block, the trace sees these tensors as detached aliases."""
    for state in states:
        _C._set_value_trace(state.tensor, _C._get_value_trace(state.tensor.detach()))
    try:
        yield
    finally:
        for state in states:
            _C._set_value_trace(state.tensor, state.value)


class _TracedCalls(TorchFunctionMode):
    """Sees every torch call that the model's Python code makes."""

    def __init__(self, observer: TracingObserver) -> None:
        super().__init__()
        self._observer = observer

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _C._get_tracing_state() is None:
            return function(*args, **kwargs)
        if is_requires_grad(function, "__get__"):
            return function(*args) and self._as_checkpointed(args[0])
        if reads_value(function) and _depends_on_data(_C._get_value_trace(args[0])):
            self._observer.note_value_use()
        is_attribute = getattr(function, "__name__", "") == "__get__"  # reading one never returns an argument itself
        inputs = _tensors([*args, *kwargs.values()])
        if not is_attribute:
            self._observer.require_inside(inputs)
        before = [] if is_attribute else [_State(tensor) for tensor in inputs]
        with _detached([state for state in before if state.requires_grad and not torch.is_grad_enabled()]):
            result = function(*args, **kwargs)
        self._keep_names(before, result)
        self._note_requires_grad(before)
        self._detach(function, inputs, result)
        return result

    def _as_checkpointed(self, tensor: torch.Tensor) -> bool:
        return self._observer.as_checkpointed.requires_grad(tensor)

    def _keep_names(self, before: list[_State], result: Any) -> None:
        for state in before:
            if result is state.tensor and state.tensor._version == state.version:
                _C._set_value_trace(state.tensor, state.value)

    def _note_requires_grad(self, before: list[_State]) -> None:
        for state in before:
            tensor = state.tensor
            if tensor.requires_grad == state.requires_grad or tensor.grad_fn is not None:
                continue
            changed = markers.requires_grad(tensor) if tensor.requires_grad else tensor.detach()
            _C._set_value_trace(tensor, _C._get_value_trace(changed))

    def _detach(self, function: Any, inputs: list[torch.Tensor], result: Any) -> None:
        is_data = getattr(function, "__name__", "") == "__get__" and function.__self__ is torch.Tensor.data
        if torch.is_grad_enabled() and not is_data:
            return
        for tensor in _tensors([result]):
            if tensor.is_floating_point() and not any(tensor is argument for argument in inputs):
                source = inputs[0] if is_data else tensor
                _C._set_value_trace(tensor, _C._get_value_trace(source.detach()))
