"""Prints the folder of the torch that this Python would import, without importing it, which would take seconds.

Exit code 1 if there is none, or only one that is older than the version given: torch_dir.py 2.7
"""
import importlib.util
import os
import runpy
import sys


def torch_dir():
    spec = importlib.util.find_spec("torch")
    folder = os.path.dirname(spec.origin) if spec and spec.origin else ""
    return folder if os.path.exists(os.path.join(folder, "lib", "libtorch_cpu.so")) else None


def version(folder):
    return runpy.run_path(os.path.join(folder, "version.py"))["__version__"]


def numbers(text):
    return tuple(int(part) for part in text.split(".")[:2])


folder = torch_dir()
if folder is None or (len(sys.argv) > 1 and numbers(version(folder)) < numbers(sys.argv[1])):
    sys.exit(1)
print(folder)
