"""Which versions a file was written by."""

from __future__ import annotations

import torch

_VERSION = "0.1.0"


def version() -> str:
    """gradscan's own."""
    return _VERSION


def torch_version() -> str:
    """torch's, without the name of the build: "2.13.0"."""
    return str(torch.__version__).split("+")[0]
