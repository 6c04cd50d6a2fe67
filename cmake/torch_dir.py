"""Prints the folder of the torch that this Python would import, without importing it; exit code 1 if there is none."""
import importlib.util
import os
import sys

spec = importlib.util.find_spec("torch")
folder = os.path.dirname(spec.origin) if spec and spec.origin else ""
if not os.path.exists(os.path.join(folder, "lib", "libtorch_cpu.so")):
    sys.exit(1)
print(folder)
