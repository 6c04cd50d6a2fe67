"""The contents of a container, and putting them back.

Libraries derive containers of their own from Python's: a dict that refuses every change (diffusers), one whose members are its
attributes, one that tells somebody about each change. What such a class overrides must neither fail nor run here. So contents
are read and put back with the methods of the built-in type that the class derives from, and only if they have changed.

    contents = Contents(container)
    ...
    contents.restore()
"""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, deque
from typing import Any

# By built-in type, subclasses before their bases: how to read all members, and how to add them to an empty container.
_TYPES: dict[Any, tuple[Any, Any]] = {
    OrderedDict: (OrderedDict.items, lambda container, members: [OrderedDict.__setitem__(container, *m) for m in members]),
    dict: (dict.items, dict.update),
    list: (list.__iter__, list.extend),
    set: (set.__iter__, set.update),
    deque: (deque.__iter__, deque.extend),
}


class Contents:
    """The members that a container has now; those of a container of another kind are not known."""

    def __init__(self, container: Any) -> None:
        self._container = container.data if isinstance(container, (UserDict, UserList)) else container
        self._type = next((kind for kind in _TYPES if isinstance(self._container, kind)), None)
        self._members = self._read()

    def restore(self) -> None:
        """Puts the members back that the container had, in their order."""
        if self._type and not _same(self._read(), self._members):
            self._type.clear(self._container)
            _TYPES[self._type][1](self._container, self._members)

    def _read(self) -> list[Any]:
        return list(_TYPES[self._type][0](self._container)) if self._type else []


def _same(a: list[Any], b: list[Any]) -> bool:
    """Whether they are the same objects, or pairs of them. Comparing them for equality might run anything."""
    return len(a) == len(b) and all(map(_identical, a, b))


def _identical(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) is tuple and len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True)))
