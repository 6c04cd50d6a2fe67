"""A checkpoint region: one executed checkpoint() call and its place in the autograd graph."""

from __future__ import annotations

import dataclasses

from gradscan.boundary import Boundary


@dataclasses.dataclass
class Region:
    """One checkpoint region of an observed forward."""

    name: str
    kind: str  # "reentrant", "non_reentrant"
    source: str  # "resnet.py:88"
    place: str  # the user's own line at that call, with its full path: see user_code.own_place()
    module: str  # path of the module that called checkpoint()
    parent: int | None  # number of the enclosing region
    begin: Boundary
    end: Boundary | None = None  # None while it runs
    origin: str = "marker"  # "Function" if it is a custom autograd Function
