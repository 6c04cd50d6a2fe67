"""Which of forward's outputs the loss is computed from.

The loss function is called once, on forward's actual result, and the graph of the loss is followed back. An output whose edge
the search reaches is part of the loss. Everything beyond that edge belongs to the model.

Without a loss function, the loss is guessed as training loops take it: the field `loss` of the result (transformers), else the
fields of a dict whose names contain "loss", with the tensors in them (mmengine, torchvision), else every output. What only
other outputs need, such as a head that feeds nothing but the logits, then gets no gradient, as in training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from gradscan.boundary import Edge, edge_of, edges_of
from gradscan.ddp import Parameter
from gradscan.errors import Error
from gradscan.places import Place, tensor_places

Loss = Callable[[Any], torch.Tensor]


class LossInputs:
    """`taken` are the paths of the outputs that the loss is computed from. Without `loss`, they are a guess."""

    def __init__(self, loss: Loss | None, output: Any, places: list[Place], parameters: list[Parameter]) -> None:
        self.used_outside: list[str] = []  # parameters that it uses besides the outputs
        self._outputs = set(filter(None, (edge_of(place.tensor) for place in places)))
        self._names: dict[Any, str] = {parameter.tensor: parameter.name for parameter in parameters}
        self._used = self._guess(output) if loss is None else self._search([_computed(loss, output)])
        if loss and not self._used:
            raise Error(
                "the loss does not depend on any of forward's outputs: return from forward what the loss is computed from"
            )
        self.taken = [place.path for place in places if self.contain(place)]

    def contain(self, place: Place) -> bool:
        """Whether the loss is computed from this output."""
        return edge_of(place.tensor) in self._used

    def _guess(self, output: Any) -> set[Edge]:
        return self._search(filter(None, map(edge_of, usual_loss(output)))) or self._outputs

    def _search(self, roots: Iterable[Edge]) -> set[Edge]:
        used, stack, seen = set(), list(roots), set()
        while stack:
            edge = stack.pop()
            if edge in self._outputs:
                used.add(edge)
            elif edge[0] not in seen:
                seen.add(edge[0])
                stack += edges_of(edge[0])
                name = self._names.get(getattr(edge[0], "variable", None))
                if name:
                    self.used_outside.append(name)
        return used

    def notes(self) -> list[str]:
        """Sentences for the report."""
        return [f"the loss uses {name} outside of forward: that use is not recorded" for name in self.used_outside]


def usual_loss(output: Any) -> list[torch.Tensor]:
    """The tensors that require grad in the field `loss`, else in those whose names contain "loss"."""
    fields = {key: output[key] for key in output if isinstance(key, str)} if isinstance(output, Mapping) else {}
    single = fields.get("loss") if fields else _attribute_loss(output)
    for values in ([single], [value for name, value in fields.items() if "loss" in name]):
        tensors = [place.tensor for value in values for place in tensor_places(value, "") if place.tensor.requires_grad]
        if tensors:
            return tensors
    return []


def roots_of(loss: Loss | None, output: Any, taken: Sequence[str] = ()) -> list[torch.Tensor]:
    """Where backward starts: the loss, or without a loss function what usually is one. `taken`: the paths of the outputs that
    it was computed from without checkpointing, where other tensors may require grad."""
    if loss is not None:
        return [loss(output)]
    at_paths = [place.tensor for place in tensor_places(output, "output") if place.path in taken]
    if at_paths and len(at_paths) == len(taken):
        return [tensor for tensor in at_paths if tensor.requires_grad] or at_paths[:1]
    if usual := usual_loss(output):
        return usual
    tensors = [place.tensor for place in tensor_places(output, "output")]
    return [tensor for tensor in tensors if tensor.requires_grad] or tensors[:1]


def _attribute_loss(output: Any) -> Any:
    try:
        return getattr(output, "loss", None)
    except Exception:  # noqa: BLE001  a property, which may fail without targets
        return None


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
