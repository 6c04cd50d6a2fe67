"""What the two runs of a checkpointed function save for backward, and what torch makes of it if that differs.

In the first run, torch's non-reentrant checkpoint puts a holder in the place of each tensor that is saved. When backward needs
the first of them, the second run fills the holders in order, and torch compares:

    number      A second run that saves fewer raises CheckpointError. It ends as soon as it has saved as many as the first, so
                more do no harm, unless early stop is off: then they raise as well.
    metadata    Another shape, dtype or device raises, unless determinism_check="none". Holders that are gone are not compared:
                the graph has freed them, so backward does not need them.

Torch does not compare numbers. Backward then uses those of the second run, without a word: of another tensor of the same
metadata, or of the same one computed with other random numbers. So they are compared here, by a norm and a weighted sum, which
tells apart what has the same norm. Parameters and buffers have other numbers for good reasons: batch norm updates its
statistics in each run. It only counts which of them is saved.

If no holder is left, there is no second run. Of a region within the region, only the tensors among its arguments count: it
compares the rest itself, and how often it runs depends on what backward needs. So it is not known what torch makes of a
difference there.

A reentrant checkpoint compares nothing: it runs backward through whatever the second run has built.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import math
import weakref
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

import torch

from gradscan.intercept import Call


class _Kind(NamedTuple):
    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


class _Numbers(NamedTuple):
    """Two sums over the numbers of a tensor, which stand for them. They stay on its device until they are compared."""

    squares: torch.Tensor
    weighted: torch.Tensor
    tolerance: float  # relative to the norm


class _Holder:
    """Stands in the graph for a saved tensor, which is not kept: there is no backward."""


@dataclasses.dataclass
class _Saved:
    """A tensor that torch compares."""

    kind: _Kind
    address: int | None  # if it is a parameter or buffer of the model, or a view of one
    numbers: _Numbers | None  # None if unknown
    holder: weakref.ref[_Holder]

    @property
    def is_alive(self) -> bool:
        return self.holder() is not None

    def same_numbers(self, other: _Saved) -> bool | None:
        """None if that is not known."""
        if self.address is not None or other.address is not None:
            return self.address == other.address
        return _same(self.numbers, other.numbers)


class Saves:
    """What one run saves for backward."""

    def __init__(self, model_storages: Container[int]) -> None:
        """`model_storages`: where the parameters and buffers are, see `storages_of`."""
        self.everything: list[_Kind] = []
        self.counted: list[_Saved] = []
        self.has_regions = False
        self._model_storages = model_storages
        self._depth = 0
        self._arguments: list[_Holder] = []  # of regions within: held as long as those can run again

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """The run."""
        with torch.autograd.graph.saved_tensors_hooks(self._pack, _unpack):
            yield

    @contextlib.contextmanager
    def within_region(self, args: Iterable[Any]) -> Iterator[None]:
        """A region in the run, called with `args`."""
        if not self._depth:
            self.has_regions = True
            self._arguments += [self._count(a) for a in args if isinstance(a, torch.Tensor)]
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _pack(self, tensor: torch.Tensor) -> _Holder:
        self.everything.append(_kind(tensor))
        return _Holder() if self._depth else self._count(tensor)

    def _count(self, tensor: torch.Tensor) -> _Holder:
        holder = _Holder()
        is_of_model = _storage(tensor) in self._model_storages
        address = tensor.data_ptr() if is_of_model else None
        numbers = None if is_of_model else _numbers(tensor)
        self.counted.append(_Saved(_kind(tensor), address, numbers, weakref.ref(holder)))
        return holder


def _unpack(_: _Holder) -> torch.Tensor:
    raise RuntimeError("the tensor was not kept")


def _kind(tensor: torch.Tensor) -> _Kind:
    return _Kind(tensor.shape, tensor.dtype, tensor.device)


def storages_of(model: torch.nn.Module) -> set[int]:
    """The addresses of the storages of its parameters and buffers."""
    return {_storage(tensor) for tensor in itertools.chain(model.parameters(), model.buffers())} - {0}


def _storage(tensor: torch.Tensor) -> int:
    """Its address; 0 if there is none, as on the device "meta" and in some subclasses of Tensor."""
    with contextlib.suppress(Exception):
        return tensor.untyped_storage().data_ptr()
    return 0


_BLOCK = 2**20  # numbers


def _numbers(tensor: torch.Tensor) -> _Numbers | None:
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or tensor.is_meta:
        return None
    with contextlib.suppress(Exception), torch.no_grad():  # a sparse tensor, or a device without float64
        values = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor.detach()
        is_rounded = values.is_floating_point()
        return _Numbers(*_sums(values), max(1e-3, 2 * torch.finfo(values.dtype).eps) if is_rounded else 1e-12)
    return None


def _sums(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the squares, and of the numbers times weights. Weights repeat from block to block, with a factor for each block."""
    is_short = values.is_floating_point() and values.dtype != torch.float64
    weights = _weights(values.device, torch.float32 if is_short else torch.float64)
    squares, weighted = torch.zeros(2, dtype=torch.float64, device=values.device)
    for number, part in enumerate(values.flatten().split(len(weights))):
        block = part.to(weights.dtype)
        squares += block.dot(block)
        weighted += block.dot(weights[: len(block)]) * (1.5 + math.sin(number))
    return squares, weighted


@functools.cache
def _weights(device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """The same in each process. They leave the global random numbers alone."""
    generator = torch.Generator("cpu").manual_seed(0)
    return torch.randn(_BLOCK, generator=generator, dtype=dtype, device="cpu").to(device)


def _same(a: _Numbers | None, b: _Numbers | None) -> bool | None:
    """With tolerance for operations that are not deterministic. None if that is not known."""
    if a is None or b is None:
        return None
    with contextlib.suppress(Exception):  # inside of torch.func, numbers may not leave the function
        norms = math.sqrt(a.squares.item()), math.sqrt(b.squares.item())
        if not all(map(math.isfinite, norms)):  # the mask of attention, say
            return math.isfinite(norms[0]) == math.isfinite(norms[1])
        limit = max(a.tolerance, b.tolerance) * max(norms)
        return abs(norms[0] - norms[1]) <= limit and abs(a.weighted.item() - b.weighted.item()) <= limit
    return None


def mismatch(call: Call, first: Saves, second: Saves) -> str | None:
    """What torch's non-reentrant checkpoint makes of two runs that differ: "raises" CheckpointError, "unnoticed" if backward
    uses other tensors than those that forward saved, or "harmless". None if that is not known."""
    pairs = _needed(first, second)
    if any(saved.is_alive for saved in first.counted):
        fewer, more = len(second.counted) < len(first.counted), len(second.counted) > len(first.counted)
        if fewer or (more and not call.early_stop):
            return "raises"
        if any(a.kind != b.kind for _, a, b in pairs):
            return "unnoticed" if call.determinism_check == "none" else "raises"
    same = [a.same_numbers(b) for _, a, b in pairs]
    is_same_path = first.everything == second.everything
    if (first.has_regions or second.has_regions) and not is_same_path:
        return None
    if False in same:
        return "unnoticed"
    return None if None in same else "harmless"


def _needed(first: Saves, second: Saves) -> list[tuple[int, _Saved, _Saved]]:
    """What backward needs of the first run, with what the second puts in its place, and its position."""
    pairs = enumerate(zip(first.counted, second.counted, strict=False))
    return [(position, a, b) for position, (a, b) in pairs if a.is_alive]


def difference(first: Saves, second: Saves) -> str:
    """The sentence that says how two runs differ; empty if they do not."""
    a, b = first.everything, second.everything
    if len(a) != len(b):
        return f"the first run saves {len(a)} tensors, the second {len(b)}"
    k = next((k for k, (left, right) in enumerate(zip(a, b, strict=True)) if left != right), None)
    if k is None:
        return _difference_in_numbers(first, second)
    with_device = a[k].device != b[k].device
    kinds = f"{_words(a[k], with_device)} in the first run, {_words(b[k], with_device)} in the second"
    return f"of {len(a)} saved tensors, number {k + 1} is {kinds}"


def _difference_in_numbers(first: Saves, second: Saves) -> str:
    position = next((position for position, a, b in _needed(first, second) if a.same_numbers(b) is False), None)
    if position is None:
        return ""
    return f"both runs save {len(first.counted)} tensors, but number {position + 1} has other numbers"


def _words(kind: _Kind, with_device: bool) -> str:
    return f"{str(kind.dtype).removeprefix('torch.')}{list(kind.shape)}{f' on {kind.device}' if with_device else ''}"
