"""The cost of an operation in multiplications and additions, as torch.utils.flop_counter counts them.

The forward and backward of a matrix product or convolution are sums of products over the same three index sets, so the gradient
of each operand costs as much as forward. For the gradient of a convolution's weight, torch's counter ignores groups, as if
every input channel were connected to every output channel, and so does this one. The backward of attention computes all
gradients at once. torch's counter knows the CUDA kernels of attention; the CPU kernel, which some versions of it do not know,
computes the same and is counted the same way.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

_aten = torch.ops.aten
_ATTENTION = [
    packet
    for name in (
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_cudnn_attention",
    )
    if (packet := getattr(_aten, name, None))
]


@dataclasses.dataclass
class Flops:
    forward: int
    gradients: dict[int, int]  # by argument; those of attention are all put down to the first that requires grad

    def __add__(self, other: Flops) -> Flops:
        slots = self.gradients.keys() | other.gradients.keys()
        gradients = {slot: self.gradients.get(slot, 0) + other.gradients.get(slot, 0) for slot in slots}
        return Flops(self.forward + other.forward, gradients)


def count_flops(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Flops | None:
    """None for an operation that is not counted. `function` is an operator overload from torch.ops."""
    packet = function.overloadpacket
    if packet in _ATTENTION:
        return _attention(args, result)
    formula = flop_registry.get(packet)
    if not formula:
        return None
    forward = formula(*args, **kwargs, out_val=result)
    if packet in (_aten.mm, _aten.bmm):
        return Flops(forward, {0: forward, 1: forward})
    if packet in (_aten.addmm, _aten.baddbmm):
        return Flops(forward, {1: forward, 2: forward})
    if packet is _aten.convolution:
        return Flops(forward, {0: forward, 1: forward * args[8]})  # args[8]: the number of groups
    return Flops(forward, {})


def _attention(args: tuple[Any, ...], result: Any) -> Flops:
    shapes = [tensor.shape for tensor in args[:3]]
    first = next((slot for slot in range(3) if args[slot].requires_grad), 0)
    return Flops(sdpa_flop_count(*shapes), {first: sdpa_backward_flop_count(result[0].shape, *shapes)})
