"""What the two runs of a checkpointed function save for backward, and what torch makes of it if that differs.

In the first run, torch's non-reentrant checkpoint puts a holder in the place of each tensor that is saved. When backward needs
the first of them, the second run fills the holders in order, and torch compares:

    number      A second run that saves fewer raises CheckpointError. It ends as soon as it has saved as many as the first, so
                more do no harm, unless early stop is off: then they raise as well.
    metadata    Another shape, dtype or device raises, unless determinism_check="none". Holders that are gone are not compared:
                the graph has freed them, so backward does not need them.

Numbers are not compared. A second run that does something else before it ends can fill a holder with another tensor of the same
metadata, which nobody notices, so the norms of the tensors are compared here.

If no holder is left, there is no second run. Of a region within the region, only the tensors among its arguments count: it
compares the rest itself, and how often it runs depends on what backward needs. So it is not known what torch makes of a
difference there.

A reentrant checkpoint compares nothing: it runs backward through whatever the second run has built.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch

from gradscan.intercept import Call


class _Kind(NamedTuple):
    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


class _Holder:
    """Stands in the graph for a saved tensor, which is not kept: there is no backward."""


class Saves:
    """What one run saves for backward."""

    def __init__(self) -> None:
        self.everything: list[_Kind] = []
        self.counted: list[_Kind] = []  # what torch compares
        self.norms: list[torch.Tensor | None] = []  # of the counted ones, as their holders; None if unknown
        self.holders: list[weakref.ref[_Holder]] = []
        self.has_regions = False
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
        self.counted.append(_kind(tensor))
        self.norms.append(_norm(tensor))
        self.holders.append(weakref.ref(holder))
        return holder


def _unpack(_: _Holder) -> torch.Tensor:
    raise RuntimeError("the tensor was not kept")


def _kind(tensor: torch.Tensor) -> _Kind:
    return _Kind(tensor.shape, tensor.dtype, tensor.device)


def _norm(tensor: torch.Tensor) -> torch.Tensor | None:
    with contextlib.suppress(Exception), torch.no_grad():  # a subclass of Tensor may have none
        values = tensor.abs() if tensor.is_complex() else tensor.detach()
        if not values.is_floating_point():
            return values.sum(dtype=torch.float64)
        norm: torch.Tensor = torch.linalg.vector_norm(values, dtype=torch.float64)
        return norm
    return None


def mismatch(call: Call, first: Saves, second: Saves) -> str | None:
    """What torch's non-reentrant checkpoint makes of two runs that differ: "raises" CheckpointError, "unnoticed" if backward
    uses other tensors than those that forward saved, or "harmless". None if that is not known."""
    alive = [holder() is not None for holder in first.holders]
    if any(alive):
        fewer, more = len(second.counted) < len(first.counted), len(second.counted) > len(first.counted)
        if fewer or (more and not call.early_stop):
            return "raises"
        if any(is_alive and a != b for is_alive, a, b in zip(alive, first.counted, second.counted, strict=False)):
            return "unnoticed" if call.determinism_check == "none" else "raises"
    if first.has_regions or second.has_regions:
        return None
    same = [_same_norms(a, b) for is_alive, a, b in zip(alive, first.norms, second.norms, strict=False) if is_alive]
    if False in same:
        return "unnoticed"
    return None if None in same else "harmless"


def _same_norms(a: torch.Tensor | None, b: torch.Tensor | None) -> bool | None:
    """With tolerance for operations that are not deterministic. None if that is not known."""
    if a is None or b is None:
        return None
    return bool(torch.isclose(a, b, rtol=1e-3, equal_nan=True)) if a.device.type != "meta" else None


def difference(first: Saves, second: Saves) -> str:
    """The sentence that says how two runs differ; empty if they do not."""
    a, b = first.everything, second.everything
    if len(a) != len(b):
        return f"the first run saves {len(a)} tensors, the second {len(b)}"
    k = next((k for k, (left, right) in enumerate(zip(a, b, strict=True)) if left != right), None)
    if k is None:
        return ""
    with_device = a[k].device != b[k].device
    kinds = f"{_words(a[k], with_device)} in the first run, {_words(b[k], with_device)} in the second"
    return f"of {len(a)} saved tensors, number {k + 1} is {kinds}"


def _words(kind: _Kind, with_device: bool) -> str:
    return f"{str(kind.dtype).removeprefix('torch.')}{list(kind.shape)}{f' on {kind.device}' if with_device else ''}"
