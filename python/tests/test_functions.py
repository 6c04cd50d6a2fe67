"""Custom autograd Functions, and tensors that are modified after they were saved."""

import json
import threading

import pytest
import torch
from conftest import torch_functions
from torch import nn

import gradscan
from gradscan.torch_versions import PythonFunction, function_apply


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.detach().round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Failing(Double):
    @staticmethod
    def forward(ctx, x):
        raise ArithmeticError("forward fails")


class WithMask(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        mask = x.detach() * 2
        ctx.mark_non_differentiable(mask)
        return x * 2, (x > 0).int(), mask

    @staticmethod
    def backward(ctx, gradient, *_):
        return gradient * 2


class Between(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.function = nn.Linear(4, 4), nn.Linear(4, 4), function

    def forward(self, x):
        x = self.function(self.a(x))
        return self.b(x[0] if isinstance(x, tuple) else x)


class ModifiedInPlace(Between):
    def forward(self, x):
        x = self.a(x)
        result = self.b(x)
        x += 1
        return result


def test_a_gradient_that_forward_does_not_have(scan, tmp_path):
    model = Between(StraightThrough.apply)
    with pytest.raises(gradscan.TracingError, match="StraightThrough has a gradient where its forward has none.*use gradscan"):
        gradscan.export(model, torch.rand(3, 4), tmp_path / "m.pt")
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    assert scan(str(tmp_path / "m.capture.json"))["verdict"]["outcome"] == "pass"


def test_results_that_need_no_gradient(scan, tmp_path):
    gradscan.export(Between(WithMask.apply), torch.rand(3, 4), tmp_path / "m.pt")
    assert scan(str(tmp_path / "m.pt"))["verdict"]["outcome"] == "pass"


def test_a_frozen_argument_needs_no_gradient(tmp_path):
    model = Between(StraightThrough.apply)
    model.a.requires_grad_(False)
    gradscan.export(model, torch.rand(3, 4), tmp_path / "m.pt")


def test_a_saved_tensor_that_is_modified_in_place(tmp_path):
    model = ModifiedInPlace(None)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        model(torch.rand(3, 4)).sum().backward()
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    notes = json.loads((tmp_path / "m.capture.json").read_text())["notes"]
    line = ModifiedInPlace.forward.__code__.co_firstlineno + 2
    assert notes == [
        f"AddmmBackward0 at test_functions.py:{line} has saved a tensor that is later modified in place: "
        "backward fails even without DistributedDataParallel"
    ]


def test_a_custom_backward_is_noted(tmp_path):
    gradscan.record(Between(Double.apply), torch.rand(3, 4), tmp_path / "m.capture.json")
    notes = json.loads((tmp_path / "m.capture.json").read_text())["notes"]
    assert notes == ["what DoubleBackward returns is not visible: where it returns None, nothing behind it gets a gradient"]


@pytest.mark.skipif(
    isinstance(function_apply, PythonFunction), reason="torch up to 2.13: Function.apply() is written in Python"
)
def test_an_unknown_calling_convention(monkeypatch, tmp_path):
    monkeypatch.setattr(function_apply._definition, "flags", 0x82)  # METH_FASTCALL | METH_KEYWORDS
    before = torch_functions()
    with pytest.raises(gradscan.TracingError, match="in an unknown way: use gradscan.record"):
        gradscan.export(Between(Double.apply), torch.rand(3, 4), tmp_path / "m.pt")
    assert torch_functions() == before


def test_exports_of_several_threads(tmp_path):
    """A trace that ends during another one leaves the other's Functions replaced."""
    started, ended, errors = threading.Event(), threading.Event(), []

    def waiting(x):
        started.set()
        ended.wait(60)
        return Double.apply(x)

    def slow():
        try:
            gradscan.export(Between(waiting), torch.rand(3, 4), tmp_path / "slow.pt")
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    before = torch_functions()
    thread = threading.Thread(target=slow)
    thread.start()
    started.wait(60)
    gradscan.export(Between(WithMask.apply), torch.rand(3, 4), tmp_path / "fast.pt")
    ended.set()
    thread.join()
    assert not errors
    assert torch_functions() == before


def test_other_threads_apply_as_usual(tmp_path):
    seen = []

    def elsewhere():
        x = torch.rand(3, requires_grad=True)
        seen.append(type(Double.apply(x).grad_fn).__name__)
        try:
            Failing.apply(x)
        except ArithmeticError as error:
            seen.append(str(error))

    def run(x):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return Double.apply(x)

    gradscan.export(Between(run), torch.rand(3, 4), tmp_path / "m.pt", verify=False)
    assert seen[:2] == ["DoubleBackward", "forward fails"]
