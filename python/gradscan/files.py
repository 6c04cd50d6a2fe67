"""Writing a file atomically: the complete file, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from gradscan.errors import Error


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yields the path of a temporary file that replaces `path` unless an exception is raised. A symbolic link stays a link."""
    path = os.fspath(path)
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):  # a directory or a device
        raise Error(f"{path}: exists and is not a regular file: choose another name")
    with errors_of_writing(path):
        # torch names the folder inside its archives after what precedes the last dot of the file name, which must not be empty.
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".gradscan-", suffix=".tmp")
        os.close(handle)
        os.chmod(temporary, 0o666 & ~_umask())
    try:
        yield temporary
        with errors_of_writing(path):
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


@contextlib.contextmanager
def errors_of_writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an OSError in the block, which must do nothing but write, into an Error saying that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise Error(
            f"{os.fspath(path)}: cannot be written ({error.strerror}): choose an existing folder that you may write to"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
