"""Forwards that build different graphs: by chance, in turns, or because of what an earlier one left behind."""

import json
import random
import zipfile

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gradscan

X = torch.rand(3, 4)


class Model(nn.Module):
    """`takes(model, n)` says whether the n-th forward takes the layer `b`."""

    def __init__(self, takes):
        super().__init__()
        self.takes, self.count, self.log = takes, 0, []
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.count += 1
        self.steps += 1
        x = self.a(x)
        if self.takes(self, self.count):
            x = checkpoint(self.b, x, use_reentrant=True)
        return self.c(x)


def coin(model, n):
    return random.random() < 0.5


def torch_coin(model, n):
    return torch.rand(()).item() < 0.5


def alternating(model, n):
    return n % 2 == 1


def at_first(model, n):
    """Later calls find what the first one has computed."""
    known, model.cache = getattr(model, "cache", None), model.a.weight.detach()
    return known is None


def schedule(model, n):
    return model.steps >= 3


def record(model, tmp_path, **options):
    gradscan.record(model, X, tmp_path / "m.capture.json", **options)
    return json.loads((tmp_path / "m.capture.json").read_text())


def exported(model, tmp_path, **options):
    gradscan.export(model, X, tmp_path / "m.pt", **options)
    with zipfile.ZipFile(tmp_path / "m.pt") as archive:
        return json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("extra/gradscan.json"))))


CASES = [(alternating, [0, 1, 0, 1]), (at_first, [0, 1, 1, 1]), (schedule, [0, 0, 1, 1])]
SENTENCE = "4 forwards with the same arguments built 2 different graphs, the first two of which differ in b"


@pytest.mark.parametrize("takes, turns", CASES)
def test_each_graph_is_kept(takes, turns, tmp_path):
    capture = record(Model(takes), tmp_path)
    assert capture["turns"] == turns and SENTENCE in capture["notes"]
    assert capture["varying"] == []  # the last forward built no new graph
    graphs = [capture, *capture["further"]]
    assert all(graph["parameters"] == capture["parameters"] for graph in graphs[1:])
    assert sorted(len(graph["regions"]) for graph in graphs) == [0, 1]
    used = [{node["parameter"] for node in graph["nodes"] if node.get("role") == "parameter"} for graph in graphs]
    assert sorted(map(len, used)) == [4, 6]


@pytest.mark.parametrize("takes, turns", [(lambda model, n: n == 4, [0, 0, 0, 1]), (schedule, [0, 0, 1])])
def test_more_graphs_may_come(takes, turns, tmp_path):
    capture = record(Model(takes), tmp_path, iterations=len(turns))
    assert capture["turns"] == turns
    (reason,) = capture["varying"]
    assert f"{len(turns)} forwards with the same arguments built 2 different graphs" in reason
    assert reason not in capture["notes"]


@pytest.mark.parametrize("takes", [coin, torch_coin])
def test_chance(takes, tmp_path):
    random.seed(0)
    torch.manual_seed(0)
    capture = record(Model(takes), tmp_path, iterations=12)
    assert set(capture["turns"]) == {0, 1} and len(capture["turns"]) == 12
    assert any("12 forwards with the same arguments built 2 different graphs" in note for note in capture["notes"])
    assert capture["varying"] == (["forward draws Python's random numbers"] if takes is coin else [])


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_draws_that_happen_to_agree(write, file, scan, tmp_path):
    numpy = pytest.importorskip("numpy")
    model = Model(lambda model, n: numpy.random.rand() < 2)
    write(model, X, tmp_path / file)
    assert scan(str(tmp_path / file))["varying"] == ["forward draws numpy's random numbers"]


def test_one_graph_looks_as_ever(scan, tmp_path):
    capture = record(Model(lambda model, n: True), tmp_path)
    assert "turns" not in capture and "further" not in capture and capture["varying"] == []
    assert scan(str(tmp_path / "m.capture.json"))["varying"] == []


def test_sizes_make_no_other_graph(tmp_path):
    def takes(model, n):
        model.register_buffer("grown", torch.zeros(n))
        model.log.append(model.grown)
        return bool(model.grown.numel())

    assert "turns" not in record(Model(takes), tmp_path)


@pytest.mark.parametrize("takes", [alternating, at_first, schedule, coin])
def test_one_iteration_is_one_forward(takes, tmp_path):
    seen = []
    model = Model(lambda model, n: (seen.append(n), takes(model, n))[1])
    assert "turns" not in record(model, tmp_path, iterations=1, verify=False)
    assert seen == [1] and model.count == model.steps == 0 and model.log == [] and not hasattr(model, "cache")


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_state_and_random_numbers_are_restored_in_the_end(write, file, tmp_path):
    model, before = Model(coin), (random.getstate(), torch.get_rng_state())
    write(model, X, tmp_path / file)
    assert (model.count, int(model.steps)) == (0, 0)
    assert random.getstate() == before[0] and torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("takes, turns", CASES)
def test_an_export_says_so(takes, turns, tmp_path):
    assert f"{SENTENCE}: use gradscan.record, which keeps each graph" in exported(Model(takes), tmp_path)["varying"]
    assert exported(Model(takes), tmp_path, iterations=1)["varying"] == []


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_no_iterations(write, file, tmp_path):
    with pytest.raises(gradscan.Error, match="iterations is 0: pass 1 or more"):
        write(Model(coin), X, tmp_path / file, iterations=0)


def fails_later(model, n):
    if n == 3:
        raise KeyError("labels")
    return alternating(model, n)


def first_failure(model):
    """Of real training: "iteration 2: message"."""
    for number in range(4):
        try:
            model(X).sum().backward()
        except Exception as error:  # noqa: BLE001
            return f"iteration {number}: {str(error).splitlines()[0]}"
        model.zero_grad()
    return None


@pytest.mark.parametrize("write", [record, exported])
def test_a_later_forward_that_fails(write, tmp_path):
    real = first_failure(Model(fails_later))
    written = write(Model(fails_later), tmp_path)
    assert real == "iteration 2: 'labels'" and written["observed"] == {"error": real}
    assert "a later forward with the same arguments fails (KeyError: 'labels')" in written["ended"]
    assert not any("KeyError" in note for note in written["notes"])
    assert write(Model(fails_later), tmp_path, verify=False)["observed"] == {"reason": "verify=False"}


class Recurrent(nn.Module):
    def __init__(self, keep):
        super().__init__()
        self.keep, self.hidden, self.a = keep, None, nn.Linear(4, 4)

    def forward(self, x):
        x = self.a(x if self.hidden is None else x + self.hidden)
        self.hidden = self.keep(x)
        return x


class FailingAtOnce(Recurrent):
    def forward(self, x):
        x = super().forward(x).exp()
        result = x.sin()
        x += 1
        return result


@pytest.mark.parametrize("write", [record, exported])
def test_the_first_iteration_that_fails_counts(write, tmp_path):
    real = first_failure(FailingAtOnce(lambda x: x))
    observed = write(FailingAtOnce(lambda x: x), tmp_path)["observed"]
    assert real.startswith("iteration 0: one of the variables") and f"iteration 0: {observed['error']}" == real


class AddingUp(nn.Module):
    """Keeps a graph that backward frees nothing of, because it has saved nothing."""

    def __init__(self):
        super().__init__()
        self.total, self.a = 0, nn.Linear(4, 4)

    def forward(self, x):
        self.total = self.total + self.a.bias.sum()
        return self.a(x) + self.total


USES_EARLIER = "a later forward uses the graph of an earlier one, which backward frees: detach what it keeps"


@pytest.mark.parametrize("write", [record, exported])
def test_the_graph_of_an_earlier_forward(write, tmp_path):
    real = first_failure(Recurrent(lambda x: x))
    assert real.startswith("iteration 1: Trying to backward through the graph a second time")
    written = write(Recurrent(lambda x: x), tmp_path)
    assert written["observed"] == {"error": real} and written["ended"] == [USES_EARLIER]
    assert USES_EARLIER not in written["notes"] and "turns" not in written
    detached = write(Recurrent(lambda x: x.detach()), tmp_path)
    assert first_failure(Recurrent(lambda x: x.detach())) is None
    assert "firings" in detached["observed"] and detached["ended"] == []


@pytest.mark.parametrize("write", [record, exported])
def test_the_graph_of_an_earlier_forward_that_backward_does_not_free(write, tmp_path):
    assert first_failure(AddingUp()) is None
    written = write(AddingUp(), tmp_path)
    assert len(written["observed"]["firings"]) == 2 and written["ended"] == [USES_EARLIER]


class Emptying(nn.Module):
    """Changes its arguments, which are new ones in each iteration."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, batch, x):
        x.mul_(2)
        return self.a(batch.pop("x") * (1 if x.max() < 3 else self.a.weight.sum()))


def test_every_forward_gets_its_arguments(tmp_path):
    batch = {"x": X}
    gradscan.record(Emptying(), (batch, torch.ones(2)), tmp_path / "m.capture.json")
    capture = json.loads((tmp_path / "m.capture.json").read_text())
    assert "turns" not in capture and not any("fails" in note for note in capture["notes"])
    assert batch.keys() == {"x"}


class Unfreezing(nn.Module):
    def __init__(self):
        super().__init__()
        self.count, self.a, self.b = 0, nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        self.count += 1
        self.a.requires_grad_(self.count > 2)
        return self.b(self.a(x))


def test_progressive_unfreezing(tmp_path):
    model = Unfreezing()
    assert record(model, tmp_path)["turns"] == [0, 0, 1, 1]
    assert model.a.weight.requires_grad
