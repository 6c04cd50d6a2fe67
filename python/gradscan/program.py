"""Running the installed command line tool, which does the work."""

from __future__ import annotations

import os
import shutil
import subprocess

from gradscan.errors import Error


def find_program(program: str | None = None) -> str:
    """Its path: the one that is given, else the environment variable GRADSCAN, else `gradscan` on PATH."""
    wanted = program or os.environ.get("GRADSCAN") or "gradscan"
    found = shutil.which(wanted)
    if not found:
        raise Error(
            f"{wanted}: no such program: install the command line tool gradscan, or say where it is with the environment "
            "variable GRADSCAN"
        )
    return found


def run_program(program: str, arguments: list[str]) -> str:
    """What it writes to standard output. Raises Error with its own words if it does not come to a verdict."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise no_gradscan(program) from error
    if done.returncode not in (0, 1):  # 1: something is wrong with the setup, which is what the report is about
        words = done.stderr.strip() or f"{program} ended with exit code {done.returncode}"
        raise Error(words.splitlines()[-1])
    return done.stdout


def no_gradscan(program: str) -> Error:
    """What to say of a program that is something else, or another version."""
    return Error(
        f"{program}: does not answer as gradscan: install the command line tool gradscan of this package's version, or say "
        "where it is with the environment variable GRADSCAN"
    )
