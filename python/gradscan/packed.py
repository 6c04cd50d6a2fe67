"""The values of a tensor of integers or booleans, as text for a JSON file.

Integers are indices, labels and masks: forward fails, or takes another path, with others of the same range, such as a label
between the -100 that stands for none and the first class. So the file has them all: as raw bytes, in the order of a contiguous
tensor, little-endian, one byte for a boolean, compressed with zlib and encoded in base64.

>>> torch.frombuffer(bytearray(zlib.decompress(base64.b64decode(packed(t)))), dtype=t.dtype).reshape(t.shape)   # is t
"""

from __future__ import annotations

import base64
import ctypes
import sys
import zlib

import torch

_LIMIT = 2**20  # bytes, compressed


def is_packable(tensor: torch.Tensor) -> bool:
    """Whether it is an ordinary tensor of integers or booleans: not one without values or of a subclass, such as a fake one."""
    is_number = tensor.is_floating_point() or tensor.is_complex() or tensor.is_quantized
    return type(tensor) is torch.Tensor and tensor.layout == torch.strided and not (is_number or tensor.is_meta)


def packed(tensor: torch.Tensor) -> str | None:
    """None if the text would be too long."""
    compressed = zlib.compress(_bytes_of(tensor))
    return base64.b64encode(compressed).decode("ascii") if len(compressed) <= _LIMIT else None


def _bytes_of(tensor: torch.Tensor) -> bytes:
    tensor = tensor.detach().cpu().contiguous().flatten()
    if not tensor.numel():
        return b""
    if sys.byteorder == "big":
        tensor = tensor.view(torch.uint8).view(-1, tensor.element_size()).flip(1).contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
