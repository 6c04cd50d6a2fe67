"""What really fires in one iteration is in both kinds of file, and nothing of the user's changes."""

import gc
import json
import zipfile
from pathlib import Path

import cases
import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import gradscan

MEASURED = json.loads((Path(cases.__file__).parent / "ddp_rows.json").read_text())
CHECKPOINTING = {
    "reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=True),
    "non_reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=False),
    "off": lambda function, *args: function(*args),
}
ROWS = [row for row in MEASURED["firings"] if cases.CASES[row["case"]].step == cases.Step()]


def recorded(model, args, folder, **options):
    gradscan.record(model, args, folder / "m.capture.json", **options)
    return json.loads((folder / "m.capture.json").read_text())


def exported(model, args, folder, **options):
    gradscan.export(model, args, folder / "m.pt", **options)
    with zipfile.ZipFile(folder / "m.pt") as archive:
        name = next(name for name in archive.namelist() if name.endswith("extra/gradscan.json"))
        return json.loads(archive.read(name))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['case']}-{row['checkpointing']}")
def test_the_firings_are_those_measured(row, tmp_path):
    case = cases.CASES[row["case"]]
    x = torch.rand(cases.ROWS, cases.WIDTH).requires_grad_(case.input_requires_grad)
    capture = recorded(case.model(CHECKPOINTING[row["checkpointing"]]), x, tmp_path, loss=case.loss)
    message = MEASURED["messages"][row["message"]]
    if message:
        assert capture["observed"] == {"error": message.splitlines()[0]}
        return
    seen = [parameter for parameter, _ in capture["observed"]["firings"]]
    trained = [number for number, parameter in enumerate(capture["parameters"]) if parameter["requires_grad"]]
    assert [seen.count(number) for number in trained] == row["firings"]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)

    def forward(self, x):
        x = checkpoint(self.block, self.stem(x), use_reentrant=True)
        return self.block(checkpoint(self.block, x, use_reentrant=True))


def test_passes(tmp_path):
    """The outermost pass is 0, whichever fires first."""
    x = torch.rand(3, 4)
    assert recorded(Twice(), x, tmp_path)["observed"]["firings"][:3] == [[2, 0], [2, 1], [2, 2]]
    names = exported(Twice(), x, tmp_path)["observed"]["firings"]
    assert names[:3] == [["block.weight", 0], ["block.weight", 1], ["block.weight", 2]]
    assert sorted(names[3:]) == [["stem.bias", 0], ["stem.weight", 0]]


@pytest.mark.parametrize("write", [recorded, exported])
def test_not_wanted(write, tmp_path):
    assert write(Twice(), torch.rand(3, 4), tmp_path, verify=False)["observed"] == {"reason": "verify=False"}


class ModifiedInPlace(Twice):
    def forward(self, x):
        x = self.stem(x).exp()
        result = self.block(x)
        x += 1
        return result


class UsesOldGraph(Twice):
    def __init__(self):
        super().__init__()
        self.old = self.block.weight * 2

    def forward(self, x):
        return self.stem(x) @ self.old


@pytest.mark.parametrize("write", [recorded])
@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ModifiedInPlace(), "one of the variables needed for gradient computation has been modified"),
        (UsesOldGraph(), "forward uses a graph from before, which backward would free"),
    ],
)
def test_an_iteration_that_fails(write, model, reason, tmp_path):
    observed = write(model, torch.rand(3, 4), tmp_path)["observed"]
    assert next(iter(observed.values())).startswith(reason)


def test_the_parameters_of_an_lstm_and_of_a_list(tmp_path):
    """They are known by other names than those of the module."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.block = nn.LSTM(4, 4), nn.Linear(4, 4)
            self.held = [self.block.weight]

        def forward(self, x):
            return self.lstm(x)[0] @ self.held[0]

    firings = recorded(Model(), torch.rand(3, 2, 4), tmp_path)["observed"]["firings"]
    assert sorted(firings) == [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]]


def test_nothing_of_the_user_changes(tmp_path):
    """Neither .grad, even of the input, nor what hooks on parameters would do, such as an optimizer's step."""
    model, x, ran = Twice(), torch.rand(3, 4, requires_grad=True), []
    for tensor in (model.stem.weight, x):
        tensor.grad = torch.ones_like(tensor)
    before = [(tensor, tensor.grad) for tensor in (*model.parameters(), x)]
    model.block.weight.register_hook(lambda _: ran.append("hook"))
    model.block.weight.register_post_accumulate_grad_hook(lambda _: ran.append("step"))
    accumulator = torch.autograd.graph.get_gradient_edge(model.block.weight).node
    accumulator.register_hook(lambda *_: ran.append("accumulator"))
    waiting = model(x).sum()
    for autocast in (False, True):
        with torch.autocast("cpu", enabled=autocast):
            model(x)  # fills autocast's cache
            recorded(model, x, tmp_path)
    assert not ran
    assert all(tensor.grad is gradient for tensor, gradient in before)
    assert torch.equal(x.grad, torch.ones_like(x))
    waiting.backward()
    assert ran.count("accumulator") == 3 and "step" in ran and "hook" in ran


def gradients_of_training(x, folder):
    """Of three iterations, each of which records between forward and backward."""
    ddp, gradients = DistributedDataParallel(Twice(), static_graph=True), []
    for _ in range(3):
        ddp.zero_grad()
        output = ddp(x)
        assert len(recorded(ddp, x, folder)["observed"]["firings"]) == 5
        output.sum().backward()
        gradients.append([parameter.grad.clone() for parameter in ddp.parameters()])
    return gradients


def test_a_wrapped_model(tmp_path):
    """DDP's hooks do not run, so training goes on with the same gradients."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        gradients = gradients_of_training(torch.rand(3, 4), tmp_path)  # frees DDP before its process group ends, which may hang
        gc.collect()
        assert all(torch.allclose(a, b) for step in gradients for a, b in zip(step, gradients[0], strict=True))
    finally:
        dist.destroy_process_group()
