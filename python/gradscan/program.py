"""Running the command line tool, which does the analysis."""

from __future__ import annotations

import os
import shutil
import subprocess

from gradscan.errors import Error


def find_program(program: str | None = None) -> str:
    """The path of the tool: `program`, else the environment variable GRADSCAN, else `gradscan` on PATH."""
    wanted = program or os.environ.get("GRADSCAN") or "gradscan"
    found = shutil.which(wanted)
    if not found:
        raise Error(
            f"{wanted}: no such program: install the command line tool gradscan, or set the environment variable GRADSCAN "
            "to its path"
        )
    return found


def run_program(program: str, arguments: list[str]) -> str:
    """Returns its standard output. Raises Error with the tool's own message if it reaches no verdict."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise no_gradscan(program) from error
    # 1: the report finds something wrong; 70 with a report: no verdict can be relied on
    if done.returncode not in (0, 1) and not (done.returncode == 70 and done.stdout):
        words = done.stderr.strip() or f"{program} exited with code {done.returncode}"
        raise Error(words.splitlines()[-1])
    return done.stdout


def no_gradscan(program: str) -> Error:
    """The error for a program that is not gradscan, or is another version of it."""
    return Error(
        f"{program}: does not behave like gradscan: install the version of the command line tool that belongs to this package, "
        "or set the environment variable GRADSCAN to its path"
    )
