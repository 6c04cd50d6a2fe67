"""Which of forward's outputs the loss is computed from.

The loss function is called once, on forward's actual result, and the graph of the loss is followed back. An output whose edge
the search reaches is part of the loss. Everything beyond that edge belongs to the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gradscan.boundary import Edge, edge_of, edges_of
from gradscan.ddp import Parameter
from gradscan.errors import Error
from gradscan.places import Place

Loss = Callable[[Any], torch.Tensor]


class LossInputs:
    """Without a `loss`: every output that requires grad."""

    def __init__(self, loss: Loss | None, output: Any, places: list[Place], parameters: list[Parameter]) -> None:
        self.notes: list[str] = []
        edges = [edge_of(place.tensor) for place in places]
        if loss is None:
            self._used = set(filter(None, edges))
        else:
            self._used = self._search(_computed(loss, output), {edge for edge in edges if edge}, parameters)

    def contain(self, place: Place) -> bool:
        """Whether the loss is computed from this output."""
        return edge_of(place.tensor) in self._used

    def _search(self, root: Edge, outputs: set[Edge], parameters: list[Parameter]) -> set[Edge]:
        names: dict[Any, str] = {parameter.tensor: parameter.name for parameter in parameters}
        used, stack, seen = set(), [root], set()
        while stack:
            edge = stack.pop()
            if edge in outputs:
                used.add(edge)
            elif edge[0] not in seen:
                seen.add(edge[0])
                stack += edges_of(edge[0])
                name = names.get(getattr(edge[0], "variable", None))
                if name:
                    self.notes.append(f"the loss uses {name} outside of forward: that use is not recorded")
        if not used:
            raise Error(
                "the loss does not depend on any of forward's outputs: return from forward what the loss is computed from"
            )
        return used


def _computed(loss: Loss, output: Any) -> Edge:
    try:
        with torch.enable_grad():
            value = loss(output)
    except Exception as error:
        raise Error(
            f"the loss function fails ({type(error).__name__}: {error}): pass one that accepts what forward returns"
        ) from error
    edge = edge_of(value) if isinstance(value, torch.Tensor) else None
    if edge is None:
        raise Error(
            "the loss function does not return a tensor that requires grad: pass one that computes the loss from the output"
        )
    return edge
