"""The versions that wrote a file."""

from __future__ import annotations

import torch

_VERSION = "0.1.0"


def version() -> str:
    """The version of gradscan."""
    return _VERSION


def torch_version() -> str:
    """The version of torch, without the build's suffix: "2.13.0"."""
    return str(torch.__version__).split("+")[0]
