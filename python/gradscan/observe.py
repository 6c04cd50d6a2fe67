"""One forward with everything that matters noted: checkpoint regions, modules, source lines, operations.

Autograd numbers its nodes on each thread in the order of their creation. So it is enough to note the number that comes next
when a module is entered or left, when a call of torch has made nodes, and when a region begins or ends: each node's own number
tells later where it was made.

    with Observer(model) as observer:
        output = model(x)
    observer.regions, observer.module_of(node), observer.source_of(node), observer.flops_of(node)

Regions run plainly. Two things would show this to the model, and are hidden from it:
  - it may ask whether a tensor requires grad. Outputs of a reentrant region do if one of its direct tensor arguments does, and
    never otherwise; so the answer is worked out from the graph (`as_checkpointed`);
  - a region that is called without grad records nothing, as the first forward of an enclosing reentrant region would; what
    counts is the recomputation, which runs with grad.
"""

from __future__ import annotations

import bisect
import collections
import contextlib
import dataclasses
import os
import random
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gradscan.as_checkpointed import AsCheckpointed
from gradscan.boundary import Boundary, make_boundary
from gradscan.errors import Error
from gradscan.flops import Flops, count_flops
from gradscan.intercept import Call, intercepted
from gradscan.places import Place, replace_tensors, replaceable_tensors
from gradscan.region_name import region_name

if TYPE_CHECKING:
    from typing_extensions import Self

_TORCH = os.path.dirname(torch.__file__) + os.sep
_GRADSCAN = os.path.dirname(__file__) + os.sep
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")


@dataclasses.dataclass
class Region:
    """One executed checkpoint() call."""

    name: str
    kind: str
    source: str  # "resnet.py:88"
    place: str  # the user's own line at that call, with its whole path: see own_place()
    module: str  # path of the module that called checkpoint()
    parent: int | None  # number of the region around it
    begin: Boundary
    end: Boundary | None = None  # None while it runs


class Observer:
    """Observes what its thread runs inside of the with statement."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.regions: list[Region] = []
        self.value_uses: list[str] = []  # source lines that turn a tensor into a Python number
        self.as_checkpointed = AsCheckpointed(self.regions)
        self._open: list[int] = []
        self._paths = {module: path for path, module in reversed(list(model.named_modules()))}
        self._path_stack = [""]
        self._path_changes: list[tuple[int, str]] = [(0, "")]  # from this node on: the innermost module's path
        self._calls: list[tuple[int, int, str]] = []  # nodes first <= number < last, and the source line that made them
        self._flops: dict[int, Flops] = {}  # by number of a node
        self._flops_in: list[tuple[int, int | None, int]] = []  # of which node, in which region, how many in forward
        self._thread = threading.get_ident()
        self._random_state: Any = None
        self._draws_random = False
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(torch.clear_autocast_cache)  # weights that are cast here are not the caller's, nor the other way
            torch.clear_autocast_cache()
            stack.enter_context(torch.enable_grad())
            stack.enter_context(intercepted(self.run_region))
            stack.enter_context(self._modules_watched())
            for mode in self._modes():
                stack.enter_context(mode)
            self._exit = stack.pop_all()
        self._random_state = random.getstate()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._draws_random = random.getstate() != self._random_state
        self._exit.__exit__(kind, error, trace)

    def _modes(self) -> list[Any]:
        return [_TorchCalls(self), _Flops(self)]

    # --- regions -----------------------------------------------------------------------------------------------------------

    def run_region(self, call: Call) -> Any:
        """Runs the checkpointed function between two boundaries."""
        if not torch.is_grad_enabled():
            return call.function(*call.args, **call.kwargs)
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
        """Its number, and the arguments as its inside sees them."""
        torch.clear_autocast_cache()  # a weight that was cast outside must not be one that was cast inside
        boundary, aliases = make_boundary(arguments, always=False)
        parent = self._open[-1] if self._open else None
        name = region_name(call.function, self._paths, self._path_stack[-1])
        region = Region(name, call.kind, user_line(), own_place(), self._path_stack[-1], parent, boundary)
        number = len(self.regions)
        self.regions.append(region)
        self._open.append(number)
        return number, aliases

    def end_region(self, number: int, outputs: list[Place]) -> list[torch.Tensor]:
        """The outputs as the outside sees them."""
        torch.clear_autocast_cache()
        if self._open.pop() != number:
            raise Error(f"checkpoint region {self.regions[number].name} ends while one inside of it still runs")
        boundary, aliases = make_boundary([place.tensor for place in outputs], always=True)
        boundary.nested = [k for k, place in enumerate(outputs) if not place.top_level]
        self.regions[number].end = boundary
        return aliases

    # --- modules, source lines, operations ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _modules_watched(self) -> Any:
        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(self._enter_module),
            hooks.register_module_forward_hook(self._leave_module, always_call=True),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter_module(self, module: torch.nn.Module, _: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        self._path_stack.append(self._paths.get(module, self._path_stack[-1]))
        self._path_changes.append((_get_sequence_nr(), self._path_stack[-1]))

    def _leave_module(self, module: torch.nn.Module, *_: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        if len(self._path_stack) > 1:
            self._path_stack.pop()
        self._path_changes.append((_get_sequence_nr(), self._path_stack[-1]))

    def note_call(self, first: int, last: int) -> None:
        """A call of torch has made the nodes first <= number < last."""
        self._calls.append((first, last, user_line()))

    def note_value_use(self) -> None:
        """The model's Python code has turned a tensor into a number."""
        line = user_line()
        if line not in self.value_uses:
            self.value_uses.append(line)

    def varying(self) -> list[str]:
        """What lets another iteration take another way through the model, whatever the batch."""
        return ["forward draws Python's random numbers"] if self._draws_random else []

    def notes(self) -> list[str]:
        """What makes this forward one of several possible ones."""
        notes = []
        if self._draws_random:
            notes.append("forward draws Python's random numbers: another iteration may take another way through the model")
        if self.value_uses:
            shown, more = ", ".join(self.value_uses[:3]), len(self.value_uses) - 3
            lines = f"{shown} and {more} more lines" if more > 0 else shown
            notes.append(
                f"forward turns values of tensors into Python numbers ({lines}): "
                "another batch may take another way through the model"
            )
        return notes

    def note_flops(self, flops: Flops, has_node: bool) -> None:
        """The operation that made the newest node, or one that made none, costs so much."""
        node = _get_sequence_nr() - 1 if has_node else -1
        if has_node:
            self._flops[node] = self._flops[node] + flops if node in self._flops else flops
        self._flops_in.append((node, self._open[-1] if self._open else None, flops.forward))

    def module_of(self, node: Node) -> str:
        """Path of the module whose forward made it."""
        after = bisect.bisect_right(self._path_changes, node._sequence_nr(), key=lambda change: change[0])
        return self._path_changes[after - 1][1]

    def source_of(self, node: Node) -> str:
        """The line of the user's code that made it: "model.py:17"; empty if unknown."""
        number = node._sequence_nr()
        after = bisect.bisect_right(self._calls, number, key=lambda call: call[0])
        first, last, line = self._calls[after - 1] if after else (0, 0, "")
        return line if first <= number < last else ""

    def flops_of(self, node: Node) -> Flops | None:
        """What it costs, if that is known."""
        return self._flops.get(node._sequence_nr())

    def constant_flops(self, nodes: Iterable[Node]) -> dict[int | None, int]:
        """By innermost region, of the operations that have made none of these nodes: no gradient flows through them."""
        made = {node._sequence_nr() for node in nodes}
        flops: dict[int | None, int] = collections.defaultdict(int)
        for node, region, forward in self._flops_in:
            if node not in made:
                flops[region] += forward
        return flops


def _user_places() -> Iterator[tuple[str, int]]:
    """File and line of the code that belongs neither to torch nor to gradscan, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame:
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _GRADSCAN, "<")):
            yield file, frame.f_lineno
        frame = frame.f_back


def user_line() -> str:
    """The innermost of them in short: "resnet.py:88"; empty if there is none."""
    for file, line in _user_places():
        return f"{os.path.basename(file)}:{line}"
    return ""


def own_place() -> str:
    """The innermost that is in no installed package, with its whole path: "/home/me/model.py:88"; else the innermost of all."""
    places = list(_user_places())
    own = [place for place in places if not _INSTALLED.search(place[0])]
    for file, line in own or places:
        return f"{os.path.abspath(file)}:{line}"
    return ""


def is_requires_grad(function: Any, access: str) -> bool:
    """Whether it reads ("__get__") or writes ("__set__") Tensor.requires_grad."""
    return getattr(function, "__name__", "") == access and function.__self__ is torch.Tensor.requires_grad


def reads_value(function: Any) -> bool:
    """Whether it turns a tensor into a Python number."""
    return getattr(function, "__name__", "") in ("__bool__", "__int__", "__float__", "__index__", "item", "tolist")


class _TorchCalls(TorchFunctionMode):
    """Sees every call of torch that the model's Python code makes."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
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
    """Sees every operation below autograd, whose node has just been made if one of its arguments requires grad."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        flops = count_flops(function, args, kwargs or {}, result)
        if flops:
            has_node = torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in args)
            self._observer.note_flops(flops, has_node)
        return result
