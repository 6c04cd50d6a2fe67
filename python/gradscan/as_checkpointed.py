"""Whether a tensor would require grad if the regions were really checkpointed.

A capture runs regions without checkpointing and makes all their floating-point outputs require grad, so that it holds every
edge that can exist under any kind of checkpointing. A model that reads `x.requires_grad`, for example to decide whether to
checkpoint the next block, must still get the answer that it would get in training:

  - an output of a reentrant region requires grad if a direct tensor argument of the region does, and never if it is inside a
    dict or list;
  - an output of a non-reentrant region requires grad if anything that it was computed from does;
  - so does every other tensor.

The graph is searched without recursion, and no node is visited twice.
"""

from __future__ import annotations

import torch
from torch.autograd.graph import Node

from gradscan.boundary import Boundary, Edge, edge_of, edges_of
from gradscan.region import Region


class AsCheckpointed:
    """Answers during a forward that is still appending to `regions`."""

    def __init__(self, regions: list[Region]) -> None:
        self._regions = regions
        self._boundaries: dict[Node, tuple[Region, Boundary]] = {}
        self._known_regions = 0
        self._answers: dict[Edge, bool] = {}

    def requires_grad(self, tensor: torch.Tensor) -> bool:
        """What `tensor.requires_grad` would be."""
        edge = edge_of(tensor)
        if edge is None or not self._regions:
            return edge is not None
        self._learn_boundaries()
        return self._answer(edge)

    def _learn_boundaries(self) -> None:
        """Adds new regions, and the ends of those that were still running the last time."""
        first = self._known_regions
        for region in self._regions[first:]:
            for boundary in filter(None, (region.begin, region.end)):
                self._boundaries[boundary.node] = region, boundary
        while self._known_regions < len(self._regions) and self._regions[self._known_regions].end:
            self._known_regions += 1

    def _answer(self, root: Edge) -> bool:
        stack = [root]
        while stack:
            edge = stack[-1]
            targets = self._behind(edge)
            unknown = [target for target in targets if target not in self._answers]
            if any(self._answers.get(target) for target in targets) or not unknown:
                self._answers[edge] = not self._is_operation(edge) or any(self._answers.get(target) for target in targets)
                stack.pop()
            else:
                stack.append(unknown[0])
        return self._answers[root]

    def _is_operation(self, edge: Edge) -> bool:
        """False for the gradient accumulator of a leaf, which requires grad by itself."""
        return not hasattr(edge[0], "variable")

    def _behind(self, edge: Edge) -> list[Edge]:
        node, output = edge
        if node not in self._boundaries:
            return edges_of(node)
        region, boundary = self._boundaries[node]
        slot = boundary.slots[output]
        if boundary is region.begin or region.kind != "reentrant":
            return [target for target in boundary.next[slot : slot + 1] if target]
        return [] if slot in boundary.nested else [target for target in region.begin.next if target]
