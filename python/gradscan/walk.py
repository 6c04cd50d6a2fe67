"""From the autograd graph of an observed forward to the nodes, regions and outputs of a capture.

The walk starts at forward's results and at every region boundary, so that it also finds what only an unused output or argument
leads to. It keeps a stack of its own instead of recursing, because a graph can be a million nodes deep. Nodes are sorted in
order of creation, so every edge points to an earlier node, and a region's nodes lie between its begin and its end.

A tensor can leave a region other than as its result, for example in a cache that the function writes to or in an attribute.
Such an exit becomes one more output of the region, a *nested* one: like torch, a reentrant region returns it without grad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd.graph import Node

from gradscan.boundary import Boundary, Edge, edge_of, edges_of, find_nodes, number_of
from gradscan.ddp import Parameter
from gradscan.observe import Observer
from gradscan.places import Place
from gradscan.replay import is_function_of_user
from gradscan.saved import exposes_saved_tensors, saved_tensors

Json = dict[str, Any]


class Walk:
    """Walks once, in `run`. The lists have the names that they have in a capture."""

    def __init__(self, observer: Observer, parameters: list[Parameter], alive_anyway: Iterable[torch.Tensor]) -> None:
        self.nodes: list[Json] = []
        self.regions: list[Json] = []
        self.storages: list[Json] = []
        self.outputs: list[Json] = []
        self.notes: list[str] = []
        self.constant_flops = 0
        self._observer = observer
        self._parameters = {parameter.tensor: k for k, parameter in enumerate(parameters) if parameter.requires_grad}
        self._alive_anyway = {_storage_id(tensor) for tensor in alive_anyway if _has_storage(tensor)}
        self._storage_numbers: dict[int, int] = {}
        self._boundaries: dict[Node, tuple[int, Boundary]] = {}
        for number, region in enumerate(observer.regions):
            assert region.end is not None
            self._boundaries[region.begin.node] = number, region.begin
            self._boundaries[region.end.node] = number, region.end
        self._order: list[Node] = []
        self._numbers: dict[Node, int] = {}
        self._scopes: list[int | None] = []  # for each node of _order, its innermost region
        self._exits: dict[tuple[int, Edge], int] = {}

    def run(self, outputs: list[Place], in_loss: Callable[[Place], bool]) -> None:
        """`outputs` are the tensors in forward's result, and `in_loss` tells which of them the loss is computed from."""
        edges = [edge_of(place.tensor) for place in outputs]
        self._put_in_order(find_nodes([*(edge[0] for edge in edges if edge), *self._boundaries], self._next))
        self._find_scopes()
        self.nodes += [self._describe(node) for node in self._order]
        for place, edge in zip(outputs, edges, strict=True):
            self.outputs.append(
                describe_tensor(place.tensor) | {"edge": self._edge(edge, None), "in_loss": edge is not None and in_loss(place)}
            )
        self._describe_regions()

    def contains(self, numbers: range) -> bool:
        """Whether there is an operation with one of these numbers of autograd (see `number_of`)."""
        return any(number_of(node) in numbers for node in self._order if not _is_accumulator(node))

    def _edge(self, edge: Edge | None, scope: int | None) -> list[int] | None:
        """[node, slot] for an edge that starts in the region `scope`."""
        if edge is None:
            return None
        node, slot = self._outside(self._seen_from_inside(edge), scope)
        return [self._numbers[node], slot]

    # --- order -------------------------------------------------------------------------------------------------------------

    def _next(self, node: Node) -> list[Edge]:
        if node in self._boundaries:
            return [self._seen_from_inside(edge) for edge in self._boundaries[node][1].next if edge]
        return [self._seen_from_inside(edge) for edge in edges_of(node)]

    def _seen_from_inside(self, edge: Edge) -> Edge:
        """The argument of a Function that a leaf of its backward stands for."""
        return self._observer.inner_leaves.get(edge[0], edge)

    def _place(self, node: Node) -> tuple[int, ...]:
        """Parameters in their order, then other leaves, then all other nodes in order of creation."""
        if not _is_accumulator(node):
            return 2, *self._observer.position_of(node)
        number = self._parameters.get(node.variable)  # type: ignore[attr-defined]
        return (1, 0) if number is None else (0, number)

    def _put_in_order(self, nodes: list[Node]) -> None:
        """Appends each node after all nodes that its edges point to. Sorting almost always ensures this, but torch recreates
        the gradient function of a view whose base was modified in place, and only on access."""
        appended: set[Node] = set()
        for root in sorted(nodes, key=self._place):
            stack = [(root, iter(self._next(root)))] if root not in appended else []
            appended.add(root)
            while stack:
                node, targets = stack[-1]
                target = next((target for target, _ in targets if target not in appended), None)
                if target is None:
                    self._order.append(node)
                    stack.pop()
                else:
                    appended.add(target)
                    stack.append((target, iter(self._next(target))))
        self._numbers = {node: number for number, node in enumerate(self._order)}

    def _find_scopes(self) -> None:
        open_regions: list[int] = []
        for node in self._order:
            number, boundary = self._boundaries.get(node, (None, None))
            if number is not None and boundary is self._observer.regions[number].begin:
                open_regions.append(number)
            self._scopes.append(open_regions[-1] if open_regions else None)
            if number is not None and boundary is self._observer.regions[number].end:
                open_regions.pop()

    # --- edges -------------------------------------------------------------------------------------------------------------

    def _outside(self, edge: Edge, scope: int | None) -> Edge:
        """The edge as it starts in `scope`: through the ends of the regions that it leaves."""
        node, output = edge
        inside = self._scopes[self._numbers[node]]
        if node in self._boundaries:
            number, boundary = self._boundaries[node]
            output = boundary.slots[output]
            if boundary is self._observer.regions[number].end:
                inside = self._observer.regions[number].parent
        edge = node, output
        around = self._enclosing(scope)
        while inside not in around:
            assert inside is not None
            edge = self._exit_of(inside, edge)
            inside = self._observer.regions[inside].parent
        return edge

    def _enclosing(self, scope: int | None) -> set[int | None]:
        around: set[int | None] = {None}
        while scope is not None:
            around.add(scope)
            scope = self._observer.regions[scope].parent
        return around

    def _exit_of(self, number: int, edge: Edge) -> Edge:
        """The output of the region for a tensor that leaves it other than as its result. `edge` already counts in slots."""
        end = self._observer.regions[number].end
        assert end is not None
        if (number, edge) not in self._exits:
            slot = len(end.next) + sum(1 for region, _ in self._exits if region == number)
            self._exits[number, edge] = slot
        return end.node, self._exits[number, edge]

    # --- description -------------------------------------------------------------------------------------------------------

    def _describe(self, node: Node) -> Json:
        if _is_accumulator(node):
            number = self._parameters.get(node.variable)  # type: ignore[attr-defined]
            return {"role": "leaf"} if number is None else {"role": "parameter", "parameter": number}
        scope = self._scopes[self._numbers[node]]
        if node in self._boundaries:
            return self._describe_boundary(*self._boundaries[node])
        described: Json = {
            "op": node.name(),
            "module": self._observer.module_of(node),
            "source": self._observer.source_of(node),
        }
        described["next"] = [self._edge((target, slot) if target else None, scope) for target, slot in node.next_functions]
        flops = self._observer.flops_of(node)
        if flops:
            described["forward_flops"] = flops.forward
            described["gradient_flops"] = [flops.gradients.get(slot, 0) for slot in range(len(described["next"]))]
        self._describe_saved(node, described)
        return {key: value for key, value in described.items() if value}

    def _describe_boundary(self, number: int, boundary: Boundary) -> Json:
        region = self._observer.regions[number]
        is_begin = boundary is region.begin
        scope = region.parent if is_begin else number
        described: Json = {
            "role": "region_begin" if is_begin else "region_end",
            "next": [self._edge(edge, scope) for edge in boundary.next],
            "module": region.module,
            "source": region.source,
        }
        if is_begin:
            described["saved"] = self._numbers_of_storages(boundary.tensors)
        return described

    def _describe_regions(self) -> None:
        """The regions, with the exits that the walk has found."""
        constant_flops = self._observer.constant_flops(self._order)
        self.constant_flops = constant_flops[None]
        for number, region in enumerate(self._observer.regions):
            assert region.end is not None
            self.regions.append(
                {
                    "name": region.name,
                    "kind": region.kind,
                    "begin": self._numbers[region.begin.node],
                    "end": self._numbers[region.end.node],
                    "parent": -1 if region.parent is None else region.parent,
                    "nested_outputs": list(region.end.nested),
                    "source": region.source,
                    "place": region.place,
                    "origin": region.origin,
                    "argument_dtypes": [describe_tensor(tensor)["dtype"] for tensor in region.begin.tensors],
                    "constant_flops": constant_flops[number],
                }
            )
        for (number, (node, slot)), exit_slot in self._exits.items():
            region_json = self.regions[number]
            region_json["nested_outputs"].append(exit_slot)
            self.nodes[region_json["end"]]["next"].append([self._numbers[node], slot])

    def _describe_saved(self, node: Node, described: Json) -> None:
        tensors, modified = saved_tensors(node)
        described["saved"] = self._numbers_of_storages(tensors)
        described["saves_tensors"] = bool(tensors) or modified
        if modified:
            place = self._observer.source_of(node)
            self._note(
                f"{described['op']}{f' at {place}' if place else ''} has saved a tensor that is later modified in place: "
                "backward fails even without DistributedDataParallel"
            )
        if not exposes_saved_tensors(node):
            self._note(f"which tensors {node.name()} saves for backward is not known: saved memory may be more than shown")
        if is_function_of_user(node):
            self._note(f"what {node.name()} returns is not visible: where it returns None, nothing behind it gets a gradient")

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _numbers_of_storages(self, tensors: list[torch.Tensor]) -> list[int]:
        """The numbers of the tensors' storages, each one once."""
        return list(dict.fromkeys(self._storage_number(tensor) for tensor in tensors if _has_storage(tensor)))

    def _storage_number(self, tensor: torch.Tensor) -> int:
        storage = _storage_id(tensor)
        if storage not in self._storage_numbers:
            self._storage_numbers[storage] = len(self.storages)
            self.storages.append({"bytes": tensor.untyped_storage().nbytes(), "activation": storage not in self._alive_anyway})
        return self._storage_numbers[storage]


def describe_tensor(tensor: torch.Tensor) -> Json:
    """Its dtype and shape, in the format of inputs, outputs and parameters."""
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}


def _is_accumulator(node: Node) -> bool:
    return hasattr(node, "variable")


def _has_storage(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and torch._C._has_storage(tensor)


def _storage_id(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
