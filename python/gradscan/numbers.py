"""The values of a tensor of integers or booleans.

Integers are indices, labels and masks: forward fails, or takes another path, with others of the same range, such as a label
between the -100 that stands for none and the first class. So a file that is run again needs the values themselves.
"""

from __future__ import annotations

import torch

_LIMIT = 2**17  # numbers, about 1 MiB of text


def has_numbers(tensor: torch.Tensor) -> bool:
    """Whether it is an ordinary tensor of integers or booleans: not one without values or of a subclass, such as a fake one."""
    is_other = tensor.is_floating_point() or tensor.is_complex() or tensor.is_quantized
    return type(tensor) is torch.Tensor and tensor.layout == torch.strided and not (is_other or tensor.is_meta)


def numbers_of(tensor: torch.Tensor) -> list[int] | None:
    """In the order of a contiguous tensor; None if they are too many for a file."""
    return [int(number) for number in tensor.flatten().tolist()] if tensor.numel() <= _LIMIT else None
