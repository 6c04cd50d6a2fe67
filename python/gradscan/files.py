"""Writing a file in one step: whole, or not at all and without a trace."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from gradscan.errors import Error


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[str]:
    """The path of a temporary file beside `path`, which becomes `path` if nothing is raised."""
    path = os.fspath(path)
    try:
        handle, temporary = tempfile.mkstemp(
            dir=os.path.dirname(path) or ".", prefix=".gradscan-", suffix=os.path.splitext(path)[1]
        )
        os.close(handle)
        os.chmod(temporary, 0o666 & ~_umask())
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _cannot_write(path: str, error: OSError) -> Error:
    return Error(f"{path}: cannot be written ({error.strerror}): choose a folder that exists and that you may write to")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
