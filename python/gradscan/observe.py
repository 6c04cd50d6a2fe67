"""Observing one forward: its checkpoint regions, modules, source lines and operations.

Autograd numbers the nodes that a thread creates in order of creation. So it is enough to note the next number whenever a module
is entered or left, a torch call has created nodes, or a region begins or ends: a node's own number later tells where it was
created.

    with Observer(model) as observer:
        output = model(x)
    observer.regions, observer.module_of(node), observer.source_of(node), observer.flops_of(node)

Regions run without checkpointing. Two things need care because of that:
  - The model may read whether a tensor requires grad. An output of a reentrant region does if, and only if, one of the region's
    direct tensor arguments does, so the answer is derived from the graph (`as_checkpointed`).
  - Grad stays enabled inside a reentrant region, whose first forward really runs without it: what counts is the recomputation,
    which runs with grad. A checkpoint() call where the model itself has disabled grad makes no region.

A custom autograd Function may be a checkpoint, too. `observer.run_functions()` after forward runs the backward of each one (see
`replay`); what it creates belongs where the Function stands, not where its nodes' numbers are: see `position_of`.
"""

from __future__ import annotations

import bisect
import collections
import contextlib
import random
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gradscan.apply import applied
from gradscan.as_checkpointed import AsCheckpointed
from gradscan.boundary import Edge, edge_of, find_nodes, make_boundary, number_of
from gradscan.errors import Error, TracingError
from gradscan.flops import Flops, count_flops
from gradscan.intercept import Call, intercepted
from gradscan.new_leaf import add_new_leaf
from gradscan.places import Place, replace_tensors, replaceable_tensors
from gradscan.region import Region
from gradscan.region_name import RunningModules
from gradscan.replay import Applied, Replay, is_function_of_user, new_begin
from gradscan.restore import gradients_unchanged
from gradscan.user_code import own_place, user_line

if TYPE_CHECKING:
    from typing_extensions import Self


class Observer:
    """Observes what this thread runs inside the with statement."""

    def __init__(self, model: torch.nn.Module, on_region: Callable[[Call], None] | None = None) -> None:
        """`on_region` gets each outermost region's call before it runs."""
        self._on_region = on_region
        self.regions: list[Region] = []
        self.value_uses: list[str] = []  # source lines that convert a tensor to a Python number
        self.as_checkpointed = AsCheckpointed(self.regions)
        self.inner_leaves: dict[Node, Edge] = {}  # the begins of regions that leaves inside of Functions stand for
        self._applied: list[Applied] = []  # the Functions whose backward has not run yet
        self._spans: list[tuple[range, tuple[int, ...]]] = []  # nodes that a backward made, where they belong
        self._positions: dict[Node, tuple[int, ...]] = {}  # of the begins and ends of Functions
        self._function_notes: list[str] = []
        self._without_grad: list[str] = []  # Functions that run modules with parameters
        self._parameters = list(model.parameters())
        self._open: list[int] = []
        self._modules = RunningModules(model)
        self._calls: list[tuple[int, int, str]] = []  # nodes first <= number < last, and the source line that created them
        self._flops: dict[int, Flops] = {}  # by node number
        self._flops_in: list[tuple[int, int | None, int]] = []  # node number, region, and how many in forward
        self._random_states: dict[str, Any] = {}
        self._drawn: list[str] = []  # whose random numbers forward has drawn
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(torch.clear_autocast_cache)  # neither share cast weights with the caller
            torch.clear_autocast_cache()
            stack.enter_context(torch.enable_grad())
            stack.enter_context(intercepted(self.run_region))
            with contextlib.suppress(TracingError):  # torch applies Functions in an unknown way
                stack.enter_context(applied(self._apply))
            stack.enter_context(self._modules.watched())
            for mode in self._modes():
                stack.enter_context(mode)
            self._exit = stack.pop_all()
        self._random_states = random_states()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._drawn = [owner for owner, state in random_states().items() if state != self._random_states.get(owner, state)]
        self._exit.__exit__(kind, error, trace)

    def _modes(self) -> list[Any]:
        return [_TorchCalls(self), _Flops(self)]

    # --- regions -----------------------------------------------------------------------------------------------------------

    def run_region(self, call: Call) -> Any:
        """Runs the checkpointed function between two boundaries."""
        if not torch.is_grad_enabled():
            return call.function(*call.args, **call.kwargs)
        if self._on_region and not self._open:
            self._on_region(call)
        places = [k for k, argument in enumerate(call.args) if isinstance(argument, torch.Tensor)]
        number, aliases = self.begin_region(call, [call.args[k] for k in places])
        args = list(call.args)
        for k, alias in zip(places, aliases, strict=True):
            args[k] = alias
        result = call.function(*args, **call.kwargs)
        outputs = replaceable_tensors(result)
        remaining = iter(self.end_region(number, outputs))
        return replace_tensors(result, lambda _: next(remaining))

    def begin_region(self, call: Call, arguments: list[torch.Tensor]) -> tuple[int, list[torch.Tensor]]:
        """The region's number, and the arguments as seen from inside."""
        torch.clear_autocast_cache()  # a weight cast outside of the region must not be reused inside
        boundary, aliases = make_boundary(arguments, always=False)
        parent = self._open[-1] if self._open else None
        name, module = self._modules.region_name(call.function), self._modules.path
        region = Region(name, call.kind, user_line(), own_place(), module, parent, boundary)
        number = len(self.regions)
        self.regions.append(region)
        self._open.append(number)
        return number, aliases

    def end_region(self, number: int, outputs: list[Place]) -> list[torch.Tensor]:
        """The outputs as seen from outside."""
        torch.clear_autocast_cache()
        if self._open.pop() != number:
            raise Error(f"checkpoint region {self.regions[number].name} ends before a region inside it")
        boundary, aliases = make_boundary([place.tensor for place in outputs], always=True)
        boundary.nested = [k for k, place in enumerate(outputs) if not place.top_level]
        self.regions[number].end = boundary
        return aliases

    # --- custom autograd Functions ------------------------------------------------------------------------------------------

    def _apply(self, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], proceed: Callable[[], Any]) -> Any:
        name, first, parent = cls.__name__, len(self._flops_in), self._open[-1] if self._open else None
        before = len(self._modules.changes)
        result = proceed()
        outputs = result if isinstance(result, tuple) else (result,)
        node: Any = next((o.grad_fn for o in outputs if isinstance(o, torch.Tensor) and o.grad_fn), None)
        if node and getattr(type(node), "_forward_cls", None) is cls and is_function_of_user(node):
            flops, path = range(first, len(self._flops_in)), self._modules.path
            self._applied.append(Applied(node, name, args, outputs, user_line(), own_place(), path, parent, flops))
        elif torch.is_grad_enabled() and not node and self._modules.has_run_parameters(before):
            self._without_grad.append(f"{name} ({user_line()}) gets no tensor that requires grad, so its backward is not seen")
        return result

    def run_functions(self) -> None:
        """Runs the backward of each Function that forward has applied, the latest first, and of those applied meanwhile. One
        that runs a backward pass of its own becomes a reentrant region."""
        if not self._applied:
            return
        accumulators = [edge[0] for parameter in self._parameters if (edge := edge_of(parameter))]
        outer = set(find_nodes([*(applied.node for applied in self._applied), *accumulators]))
        with gradients_unchanged(self._parameters), torch.enable_grad():
            while self._applied:
                self._run_function(self._applied.pop(), outer)

    def _run_function(self, applied: Applied, outer: set[Node]) -> None:
        number, waiting, open_before = len(self.regions), len(self._applied), self._open
        region = self._begin_function(applied)
        replay = Replay(applied, outer.__contains__)
        is_region = self._runs(applied, replay)
        self._modules.leave()
        if is_region:
            region.end = replay.fill(region.begin)
            is_region = self._add_function(applied, region, replay)
        replay.restore()
        self._open = open_before
        if not is_region:
            del self.regions[number:], self._applied[waiting:]
            self.as_checkpointed = AsCheckpointed(self.regions)
        if replay.passes and not is_region:
            self._function_notes.append(f"what the backward of {applied.name} runs is not in this file")

    def _runs(self, applied: Applied, replay: Replay) -> bool:
        """Whether the backward of the Function runs one pass of its own."""
        try:
            replay.run()
        except Exception as error:  # noqa: BLE001  the report of the forward remains
            why = f"{type(error).__name__}: {error}"
            self._function_notes.append(f"the backward of {applied.name} fails when it runs alone ({why})")
            return False
        return replay.passes == 1 and replay.is_known

    def _begin_function(self, applied: Applied) -> Region:
        name = ".".join(filter(None, (applied.module, applied.name)))
        region = Region(name, "reentrant", applied.source, applied.place, applied.module, applied.parent, new_begin())
        region.origin = "Function"
        self._open = [len(self.regions)]
        self.regions.append(region)
        self._modules.enter(applied.module)
        return region

    def _add_function(self, applied: Applied, region: Region, replay: Replay) -> bool:
        """Whether everything that the region leads to lies before its end."""
        place = self.position_of(applied.node)
        self._spans.append((replay.numbers, (*place, 1)))
        for node in find_nodes(node for node, _ in replay.roots):
            if not hasattr(node, "variable") and self.position_of(node)[: len(place)] > place:
                return False
        self._positions |= {region.begin.node: (*place, 0), applied.node: (*place, 2)}
        self.inner_leaves |= replay.inner_leaves
        for k in applied.flops:  # forward's first run: backward's counts
            self._flops_in[k] = *self._flops_in[k][:2], 0
        return True

    def position_of(self, node: Node) -> tuple[int, ...]:
        """Where the node stands in the order of creation, if what the backward of a Function creates lies within it."""
        if node in self._positions:
            return self._positions[node]
        number = number_of(node)
        after = bisect.bisect_right(self._spans, number, key=lambda span: span[0].start)
        numbers, place = self._spans[after - 1] if after else (range(0), ())
        return (*place, number) if number in numbers else (number,)

    # --- modules, source lines, operations ---------------------------------------------------------------------------------

    def note_call(self, first: int, last: int) -> None:
        """A torch call has created the nodes first <= number < last."""
        self._calls.append((first, last, user_line()))

    def open(self, tensor: torch.Tensor) -> None:
        """The model makes a tensor require grad, which it may not do under every kind of checkpointing: see `new_leaf`."""
        with torch._C.DisableTorchFunction():
            has_history = tensor.requires_grad and not tensor.is_leaf
        if has_history and self.regions:
            add_new_leaf(tensor)

    def note_value_use(self) -> None:
        """The model's Python code has converted a tensor to a number."""
        line = user_line()
        if line not in self.value_uses:
            self.value_uses.append(line)

    def unseen(self) -> list[str]:
        """What forward runs in custom autograd Functions that leave no graph behind."""
        return list(dict.fromkeys(self._without_grad))

    def varying(self) -> list[str]:
        """Why another iteration may take a different path through the model even with the same batch."""
        return [f"forward draws {owner}'s random numbers" for owner in self._drawn]

    def notes(self) -> list[str]:
        """Why another forward may take a different path through the model."""
        notes = [f"{reason}: another iteration may take a different path through the model" for reason in self.varying()]
        if self.value_uses:
            shown, more = ", ".join(self.value_uses[:3]), len(self.value_uses) - 3
            lines = f"{shown} and {more} more lines" if more > 0 else shown
            notes.append(
                f"forward converts tensor values to Python numbers ({lines}): "
                "another batch may take a different path through the model"
            )
        return notes + self._function_notes

    def note_flops(self, flops: Flops, has_node: bool) -> None:
        """Counts the cost of an operation, which created the newest node or, without `has_node`, none."""
        node = _get_sequence_nr() - 1 if has_node else -1
        if has_node:
            self._flops[node] = self._flops[node] + flops if node in self._flops else flops
        self._flops_in.append((node, self._open[-1] if self._open else None, flops.forward))

    def module_of(self, node: Node) -> str:
        """Path of the module whose forward created the node."""
        after = bisect.bisect_right(self._modules.changes, number_of(node), key=lambda change: change[0])
        return self._modules.changes[after - 1][1]

    def source_of(self, node: Node) -> str:
        """The line of user code that created the node: "model.py:17"; empty if unknown."""
        number = number_of(node)
        after = bisect.bisect_right(self._calls, number, key=lambda call: call[0])
        first, last, line = self._calls[after - 1] if after else (0, 0, "")
        return line if first <= number < last else ""

    def flops_of(self, node: Node) -> Flops | None:
        """What the node's operation costs, if known."""
        return self._flops.get(number_of(node))

    def constant_flops(self, nodes: Iterable[Node]) -> dict[int | None, int]:
        """The cost, by innermost region, of operations that created none of these nodes: no gradient flows through them."""
        made = {number_of(node) for node in nodes}
        flops: dict[int | None, int] = collections.defaultdict(int)
        for node, region, forward in self._flops_in:
            if node not in made:
                flops[region] += forward
        return flops


def random_states() -> dict[str, Any]:
    """The states of the generators that draw for Python code. torch's are drawn from by dropout, which changes no path."""
    numpy = sys.modules.get("numpy")
    states: dict[str, Any] = {"Python": random.getstate()}
    if numpy:
        name, keys, *rest = numpy.random.get_state()
        states["numpy"] = name, keys.tobytes(), *rest
    return states


def is_requires_grad(function: Any, access: str) -> bool:
    """Whether it reads ("__get__") or writes ("__set__") Tensor.requires_grad."""
    return getattr(function, "__name__", "") == access and function.__self__ is torch.Tensor.requires_grad


def makes_require_grad(function: Any, args: Any, kwargs: Any) -> bool:
    """Whether it is tensor.requires_grad_() or tensor.requires_grad = True."""
    if getattr(function, "__name__", "") != "requires_grad_" and not is_requires_grad(function, "__set__"):
        return False
    return bool(args[1] if len(args) > 1 else kwargs.get("requires_grad", True))


def reads_value(function: Any) -> bool:
    """Whether it converts a tensor to a Python number."""
    return getattr(function, "__name__", "") in ("__bool__", "__int__", "__float__", "__index__", "item", "tolist")


class _TorchCalls(TorchFunctionMode):
    """Sees every torch call that the model's Python code makes."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if makes_require_grad(function, args, kwargs or {}):
            self._observer.open(args[0])
        first = _get_sequence_nr()
        result = function(*args, **(kwargs or {}))
        last = _get_sequence_nr()
        if last != first:
            self._observer.note_call(first, last)
        elif is_requires_grad(function, "__get__") and result:
            return self._observer.as_checkpointed.requires_grad(args[0])
        elif reads_value(function):
            self._observer.note_value_use()
        return result


class _Flops(TorchDispatchMode):
    """Sees every operation below autograd. If one of its arguments requires grad, its node has just been created."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._observer = observer

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        flops = count_flops(function, args, kwargs or {}, result)
        if flops:
            has_node = torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in args)
            self._observer.note_flops(flops, has_node)
        return result
