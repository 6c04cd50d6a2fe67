"""What the command line tool says of files whose graph varies, whose loss is a guess, or whose inputs must be as they were."""

import json
import subprocess

import pytest
import torch
from torch import nn

import gradscan


class Alternating(nn.Module):
    """Uses its second layer in every other forward."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.count = 0

    def forward(self, x):
        self.count += 1
        x = self.a(x)
        return self.b(x) if self.count % 2 else x


class TwoHeads(nn.Module):
    """The head feeds only the logits, which no training loop differentiates."""

    def __init__(self):
        super().__init__()
        self.trunk, self.head = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        hidden = self.trunk(x)
        return {"loss": hidden.square().mean(), "logits": self.head(hidden)}


class Labelled(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(4, 5)

    def forward(self, x, labels):
        return {"loss": nn.functional.cross_entropy(self.l(x), labels), "logits": self.l(x)}


@pytest.fixture
def run(gradscan_binary, tmp_path):
    def run(*arguments):
        done = subprocess.run([gradscan_binary, *arguments], capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    return run


def test_every_graph_that_forward_builds_is_played(run, tmp_path):
    gradscan.record(Alternating(), torch.rand(3, 4), tmp_path / "m.capture.json")
    code, text = run("m.capture.json")
    assert code == 1 and "some iterations do not mark b.weight" in text
    code, text = run("m.capture.json", "--find-unused-parameters")
    assert code == 0 and "in turn" in " ".join(text.split())


def test_one_graph_of_several_is_not_ok(run, tmp_path):
    gradscan.export(Alternating(), torch.rand(3, 4), tmp_path / "m.pt")
    code, text = run("m.pt", "--static-graph")
    assert code == 1 and "UNKNOWN: training may run other graphs" in text and "UNKNOWN varies" in text


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_the_loss_is_the_field_of_that_name(write, file, run, scan, tmp_path):
    write(TwoHeads(), torch.rand(3, 4), tmp_path / file)
    code, text = run(file)
    assert code == 1 and "head.weight" in text
    assert "output['loss']" in text and "this is a guess" in " ".join(text.split())
    write(TwoHeads(), torch.rand(3, 4), tmp_path / file, loss=lambda output: output["loss"])
    assert "a guess" not in run(file)[1]


def test_labels_are_those_of_the_script(run, tmp_path):
    """A class between -100, which stands for none, and the first one makes forward fail."""
    gradscan.export(Labelled(), (torch.rand(3, 4), torch.tensor([-100, 4, 0])), tmp_path / "m.pt")
    assert run("m.pt")[0] == 0


def test_values_that_do_not_fit_their_shape(run, tmp_path):
    gradscan.export(Labelled(), (torch.rand(3, 4), torch.tensor([-100, 4, 0])), tmp_path / "m.pt")
    model = torch.jit.load(tmp_path / "m.pt", _extra_files=(extra := {"gradscan.json": ""}))
    metadata = json.loads(extra["gradscan.json"])
    metadata["inputs"][1]["values"].pop()
    torch.jit.save(model, tmp_path / "m.pt", _extra_files={"gradscan.json": json.dumps(metadata)})
    code, text = run("m.pt")
    assert code in (3, 4) and "input labels" in text and "\n" not in text.strip()


class Hooked(nn.Module):
    """A tensor hook runs a backward of its own."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.a(x)
        auxiliary = self.b(x.detach()).sum()
        x.register_hook(lambda _: auxiliary.backward(retain_graph=True))
        return self.b(x)


def test_a_backward_that_gradscan_does_not_see(gradscan_binary, run, tmp_path):
    gradscan.record(Hooked(), torch.rand(3, 4), tmp_path / "m.capture.json")
    code, text = run("m.capture.json", "--find-unused-parameters")
    assert code == 70 and "no verdict on this model can be relied on" in " ".join(text.split())
    report = gradscan.check(Hooked(), torch.rand(3, 4), program=gradscan_binary, find_unused_parameters=True)
    assert not report.ok and not report.verdict().known and not report.verdict().ok
    unverified = gradscan.check(Hooked(), torch.rand(3, 4), program=gradscan_binary, verify=False)
    assert any("No real backward" in note for note in unverified.notes)
