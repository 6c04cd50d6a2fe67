"""Writing a file in one step: whole, or not at all and without a trace."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from gradscan.errors import Error


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[str]:
    """The path of a temporary file beside `path`, which becomes `path` if nothing is raised. A link to a file stays one."""
    path = os.fspath(path)
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):  # a folder or a device
        raise Error(f"{path}: is there already and is no file: choose another name")
    with errors_of_writing(path):
        # torch names the folder inside of its files by what stands before the last dot, which must not be nothing.
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
    """Says of an OSError in the block, where nothing but writing is done, that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise Error(
            f"{os.fspath(path)}: cannot be written ({error.strerror}): choose a folder that exists and that you may write to"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
