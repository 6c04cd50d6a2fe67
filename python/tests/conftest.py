"""The gradscan binary comes from the environment variable GRADSCAN, else from PATH."""

import ctypes
import json
import os
import shutil
import subprocess

import pytest
import torch
import torch.distributed as dist
import torch.utils.checkpoint


class Gradscan:
    """Runs the command line tool."""

    def __init__(self, binary):
        self.binary = binary

    def __call__(self, file, *options):
        """The report on a file."""
        run = subprocess.run([self.binary, *options, "--format", "json", file], capture_output=True, text=True)
        assert run.returncode in (0, 1), run.stderr
        return json.loads(run.stdout)

    def capture(self, file, to):
        """The capture of a file."""
        subprocess.run([self.binary, "--save-capture", to, file], capture_output=True, text=True)
        with open(to) as capture:
            return json.load(capture)


@pytest.fixture(scope="session")
def gradscan_binary():
    binary = os.environ.get("GRADSCAN") or shutil.which("gradscan")
    if not binary:
        pytest.skip("no gradscan binary: set GRADSCAN")
    return binary


@pytest.fixture(scope="session")
def scan(gradscan_binary):
    return Gradscan(gradscan_binary)


@pytest.fixture
def process_group(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


def torch_functions():
    """What the functions of torch that gradscan replaces currently run: the code of Python functions, the addresses of C
    functions."""
    apply = torch.autograd.Function.apply
    checkpoint = torch.utils.checkpoint
    return (
        checkpoint.checkpoint.__wrapped__.__code__,
        checkpoint._checkpoint_impl.__code__ if hasattr(checkpoint, "_checkpoint_impl") else None,
        checkpoint.CheckpointFunction.apply,
        vars(checkpoint.CheckpointFunction).get("apply"),
        apply.__func__.__code__ if hasattr(apply, "__func__") else c_function(apply),
        type(torch.autograd.Function).__call__,
    )


def c_function(method):
    address = ctypes.pythonapi.PyCFunction_GetFunction
    address.argtypes, address.restype = [ctypes.py_object], ctypes.c_void_p
    return address(method)
