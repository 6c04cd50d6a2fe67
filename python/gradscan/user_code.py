"""Which line of the user's code is running: the stack without the frames of torch and of gradscan."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from types import FrameType

import torch

_TORCH = os.path.dirname(torch.__file__) + os.sep
_GRADSCAN = os.path.dirname(__file__) + os.sep
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")


def user_line() -> str:
    """The innermost line, in short: "resnet.py:88"; empty if there is none."""
    for file, line in _user_places():
        return f"{os.path.basename(file)}:{line}"
    return ""


def own_place() -> str:
    """The innermost line outside of installed packages, or failing that of all, with its full path: "/home/me/model.py:88"."""
    places = list(_user_places())
    own = [place for place in places if not _INSTALLED.search(place[0])]
    for file, line in own or places:
        return f"{os.path.abspath(file)}:{line}"
    return ""


def _user_places() -> Iterator[tuple[str, int]]:
    """File and line of each of the user's frames, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame:
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _GRADSCAN, "<")):
            yield file, frame.f_lineno
        frame = frame.f_back
