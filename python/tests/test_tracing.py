"""An export contains what torch.jit.trace loses. The reference is record, which does not trace."""

import json
import random
import threading

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gradscan


class Model(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.run = run
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.run(self, x)


def both(scan, tmp_path, run, x=None, freeze=()):
    """The two captures."""
    model = Model(run)
    for name in freeze:
        model.get_submodule(name).requires_grad_(False)
    x = torch.rand(3, 4) if x is None else x
    gradscan.export(model, x, tmp_path / "m.pt")
    gradscan.record(model, x, tmp_path / "m.capture.json")
    exported = scan.capture(str(tmp_path / "m.pt"), str(tmp_path / "0.capture.json"))
    recorded = scan.capture(str(tmp_path / "m.capture.json"), str(tmp_path / "1.capture.json"))
    return exported, recorded


def assert_same(exported, recorded):
    for key in ("parameters", "regions", "nodes", "outputs", "storages"):
        assert exported.get(key, []) == recorded.get(key, []), key


def assert_same_but_storages(exported, recorded):
    for key in ("parameters", "regions", "nodes", "outputs"):
        assert exported.get(key, []) == recorded.get(key, []), key


def test_no_grad(scan, tmp_path):
    def run(model, x):
        with torch.no_grad():
            y = model.a(x)
            y = (y, y.sin())[1]
        return model.b(y) + x.sum()

    exported, recorded = both(scan, tmp_path, run)
    assert_same(exported, recorded)
    assert {node["parameter"] for node in exported["nodes"] if node.get("role") == "parameter"} == {2, 3}


def test_no_grad_in_place(scan, tmp_path):
    """Like a moving average of weights and a queue of features."""

    def run(model, x):
        y = model.a(x)
        average, queue = torch.zeros(4, 4), torch.zeros(6, 4)
        with torch.no_grad():
            average.mul_(0.9).add_(model.b.weight, alpha=0.1)
            queue[:3] = y
            model.a.weight.clamp_(-1, 1)
        return checkpoint(model.b, y @ average + queue[1:4], use_reentrant=True)

    exported, recorded = both(scan, tmp_path, run)
    assert scan(str(tmp_path / "m.pt"))["parameters"][2]["firings"]["reentrant"] == 1
    assert_same_but_storages(exported, recorded)


def test_requires_grad_on_an_activation(scan, tmp_path):
    def run(model, x):
        x = model.a(x)
        x.requires_grad_()
        return checkpoint(model.b, x, use_reentrant=True)

    exported, recorded = both(scan, tmp_path, run, freeze=["a"])
    assert_same(exported, recorded)
    assert scan(str(tmp_path / "m.pt"))["parameters"][0]["firings"]["reentrant"] == 1


def test_requires_grad_set_as_an_attribute(scan, tmp_path):
    def run(model, x):
        y = x * 2
        y.requires_grad = True
        return checkpoint(model.b, y, use_reentrant=True)

    exported, recorded = both(scan, tmp_path, run, freeze=["a"])
    assert_same(exported, recorded)


def test_data_is_detached(scan, tmp_path):
    exported, recorded = both(scan, tmp_path, lambda model, x: model.b(model.a(x).data))
    assert_same(exported, recorded)


def test_operations_that_return_their_argument(scan, tmp_path):
    """A weight that a region makes contiguous does not become an output of the region."""

    def run(model, x):
        def first(x):
            w = nn.functional.dropout(model.a.weight.contiguous().to(torch.float32), 0.0)
            return x @ w

        x = checkpoint(first, x, use_reentrant=True)
        x = checkpoint(lambda x: x @ model.a.weight, x, use_reentrant=True)
        return x @ model.a.weight

    exported, recorded = both(scan, tmp_path, run, torch.rand(3, 4, requires_grad=True))
    assert scan(str(tmp_path / "m.pt"))["parameters"][0]["firings"]["reentrant"] == 3
    assert scan(str(tmp_path / "m.capture.json"))["parameters"][0]["firings"]["reentrant"] == 3


def test_in_place_operations(scan, tmp_path):
    def run(model, x):
        x = checkpoint(lambda x: torch.relu_(model.a(x)), x, use_reentrant=True)
        x.mul_(2)
        y = torch.zeros(3, 4)
        y[:, :2] = model.b(x)[:, :2]
        return y

    exported, recorded = both(scan, tmp_path, run, torch.rand(3, 4, requires_grad=True))
    assert scan(str(tmp_path / "m.pt"))["parameters"] == scan(str(tmp_path / "m.capture.json"))["parameters"]


def test_hooks_of_modules_run_and_are_not_compiled(scan, tmp_path):
    def run(model, x):
        return model.b(checkpoint(model.a, x, use_reentrant=True))

    model = Model(run)
    model.a.register_forward_hook(lambda module, args, output: output.sin())
    model.register_forward_pre_hook(lambda module, args, kwargs: (args, kwargs), with_kwargs=True)
    x = torch.rand(3, 4, requires_grad=True)
    gradscan.export(model, x, tmp_path / "m.pt")
    capture = scan.capture(str(tmp_path / "m.pt"), str(tmp_path / "0.capture.json"))
    assert any(node.get("op") == "SinBackward0" for node in capture["nodes"])


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class Modern(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x * 2, x.detach()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, gradient, _):
        return gradient * 2


double = Double.apply


def test_custom_functions(scan, tmp_path):
    exported, recorded = both(scan, tmp_path, lambda model, x: Modern.apply(model.b(double(model.a(x))))[0])
    assert exported["notes"] == [
        "Double has a custom backward: the file has the operations of its forward instead",
        "Modern has a custom backward: the file has the operations of its forward instead",
    ]
    assert [node["op"] for node in recorded["nodes"] if "op" in node].count("DoubleBackward") == 1
    assert scan(str(tmp_path / "m.pt"))["parameters"] == scan(str(tmp_path / "m.capture.json"))["parameters"]


class OwnCheckpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, function, x):
        return function(x)

    @staticmethod
    def backward(ctx, gradient):
        return None, gradient


def test_a_function_named_checkpoint_that_runs_no_backward(scan, tmp_path):
    exported, recorded = both(scan, tmp_path, lambda model, x: OwnCheckpoint.apply(model.b, model.a(x)))
    assert exported["notes"][0] == "OwnCheckpoint has a custom backward: the file has the operations of its forward instead"
    assert recorded["notes"][0].startswith("what OwnCheckpointBackward returns is not visible")


def test_random_depth_is_noted(scan, tmp_path):
    def run(model, x):
        if torch.rand([]) < 2:
            x = model.a(x)
        return model.b(x) if x.shape[0] > 2 else x

    for capture in both(scan, tmp_path, run):
        assert len(capture["notes"]) == 1
        assert "another batch may take a different path" in capture["notes"][0] and "test_tracing.py:" in capture["notes"][0]


def test_random_python_is_noted(scan, tmp_path):
    def run(model, x):
        return model.a(x) if random.random() < 2 else x

    for capture in both(scan, tmp_path, run):
        assert capture["notes"] == [
            "forward draws Python's random numbers: another iteration may take a different path through the model"
        ]


def test_a_tensor_that_leaves_a_region_in_a_container(scan, tmp_path):
    """Only record can: the tensor leaves a reentrant region without grad, and any other region with it."""
    kept = {}

    def run(model, x):
        def inner(x):
            kept["x"] = model.a(x)
            return x * 2

        x = checkpoint(inner, x, use_reentrant=True)
        return x + kept["x"]

    gradscan.record(Model(run), torch.rand(3, 4, requires_grad=True), tmp_path / "m.capture.json")
    firings = scan(str(tmp_path / "m.capture.json"))["parameters"][0]["firings"]
    assert firings == {"reentrant": 0, "non_reentrant": 1, "off": 1}


def test_source_lines_are_the_users(scan, tmp_path):
    exported, recorded = both(scan, tmp_path, lambda model, x: checkpoint(model.b, model.a(x).sin(), use_reentrant=True))
    assert_same(exported, recorded)
    assert all(node.get("source", "").startswith("test_tracing.py:") for node in recorded["nodes"] if "op" in node)
    places = [region["place"].rsplit(":", 1) for region in recorded["regions"]]
    assert [file for file, _ in places] == [__file__]
    assert [f"test_tracing.py:{line}" for _, line in places] == [region["source"] for region in recorded["regions"]]


class SideDoor(nn.Module):
    """A tensor leaves a region in an attribute."""

    def __init__(self, use):
        super().__init__()
        self.a, self.b, self.use = nn.Linear(4, 4), nn.Linear(4, 4), use

    def block(self, x):
        self.cache = self.b(x)
        return x * 2

    def forward(self, x):
        return self.use(checkpoint(self.block, self.a(x), use_reentrant=False), self)


@pytest.mark.parametrize(
    "use",
    [
        lambda y, model: y + model.cache,
        lambda y, model: (y, model.cache),
        lambda y, model: checkpoint(lambda y, z: y + z, y, model.cache, use_reentrant=False),
    ],
)
def test_a_side_door_out_of_a_region(use, scan, tmp_path):
    with pytest.raises(gradscan.TracingError, match="leaves checkpoint region block other than as its result.*gradscan.record"):
        gradscan.export(SideDoor(use), torch.rand(3, 4), tmp_path / "m.pt")
    gradscan.record(SideDoor(use), torch.rand(3, 4), tmp_path / "m.capture.json")
    assert scan(str(tmp_path / "m.capture.json"))["verdict"]["outcome"] == "pass"
    gradscan.export(SideDoor(lambda y, model: y), torch.rand(3, 4), tmp_path / "m.pt")


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_backward_hooks(write, file, scan, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4))
    model.register_full_backward_hook(lambda *_: None)
    model[0].register_full_backward_pre_hook(lambda *_: None)
    write(model, torch.rand(3, 4), tmp_path / file)
    assert len(model._backward_hooks) == len(model[0]._backward_pre_hooks) == 1
    report = scan(str(tmp_path / file))
    assert report["verdict"]["outcome"] == "pass" and not any("returns is not visible" in note for note in report["notes"])


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_autocast_around(write, file, scan, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(torch.rand(3, 4))
        write(model, torch.rand(3, 4), tmp_path / file)
        model(torch.rand(3, 4)).float().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert [p["firings"]["off"] for p in scan(str(tmp_path / file))["parameters"]] == [1] * 4


def test_modules_of_other_threads(tmp_path):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), Waiting()

        def forward(self, x):
            thread = threading.Thread(target=self.b, args=(x.detach(),))
            thread.start()
            self.b.entered.wait(60)
            x = self.a(x) * 2
            self.b.leave.set()
            thread.join()
            return x

    class Waiting(nn.Module):
        def __init__(self):
            super().__init__()
            self.entered, self.leave = threading.Event(), threading.Event()

        def forward(self, x):
            self.entered.set()
            self.leave.wait(60)

    gradscan.record(Model(), torch.rand(3, 4), tmp_path / "m.capture.json")
    nodes = json.loads((tmp_path / "m.capture.json").read_text())["nodes"]
    assert [node.get("module", "") for node in nodes if node.get("op") == "MulBackward0"] == [""]
