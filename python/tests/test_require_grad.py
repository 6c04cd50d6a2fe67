"""--require-grad REGION does what x.requires_grad_() in front of that region does in the training script."""

import random

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gradscan


class Blocks(nn.Module):
    """Blocks, some of them frozen, each called in a checkpoint of its own, some of them twice."""

    def __init__(self, frozen, calls, kinds, gaps):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in frozen)
        self.head = nn.Linear(4, 1)
        self.calls, self.kinds, self.gaps = calls, kinds, gaps
        self.opened = None  # the number of the block whose inputs are made to require grad
        for block, is_frozen in zip(self.blocks, frozen, strict=True):
            block.requires_grad_(not is_frozen)

    def forward(self, x):
        for position, number in enumerate(self.calls):
            if position in self.gaps:
                x = torch.tanh(x)
            if number == self.opened:
                x.requires_grad_()
            x = checkpoint(self.blocks[number], x, use_reentrant=self.kinds[number])
        return self.head(x)


def random_model(seed):
    """A model, and the number of a block."""
    choose = random.Random(seed)
    number = choose.randint(1, 5)
    frozen = [choose.random() < 0.5 for _ in range(number)]
    calls = list(range(number)) + [choose.randrange(number) for _ in range(choose.randint(0, 2))]
    kinds = [choose.random() < 0.8 for _ in range(number)]
    gaps = {position for position in range(len(calls)) if choose.random() < 0.3}
    return Blocks(frozen, calls, kinds, gaps), choose.randrange(number)


def real_firings(model):
    """How often the gradient hook of each trained parameter fires in a real backward."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    counts = [0] * len(parameters)
    accumulators = [parameter.expand_as(parameter).grad_fn.next_functions[0][0] for parameter in parameters]

    def count(index):
        counts[index] += 1

    for index, accumulator in enumerate(accumulators):
        accumulator.register_hook(lambda *_, index=index: count(index))
    model(torch.rand(3, 4)).sum().backward()
    return counts


def outcomes(report):
    """Of the given setup and of all others."""
    keys = ("checkpointing", "find_unused_parameters", "static_graph", "outcome", "iteration", "unsynchronised", "untrained")
    return [[verdict[key] for key in keys] for verdict in [report["verdict"], *report["verdicts"]]]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("seed", range(40))
def test_firings_are_those_of_the_changed_script(seed, scan, tmp_path):
    model, opened = random_model(seed)
    file = str(tmp_path / "model.capture.json")
    gradscan.record(model, torch.rand(3, 4), file)
    report = scan(file, "--require-grad", f"blocks.{opened}")
    model.opened = opened
    changed = str(tmp_path / "changed.capture.json")
    gradscan.record(model, torch.rand(3, 4), changed)
    assert outcomes(scan(changed)) == outcomes(report)
    assert [len(parameter["fired_by"]) for parameter in report["parameters"]] == real_firings(model)


def test_a_frozen_model_behind_which_lora_trains(scan, tmp_path):
    """The last frozen block, the first one or the first trained one: each place repairs it."""
    model = Blocks([True, True, False, False], [0, 1, 2, 3], [True] * 4, set())
    file = str(tmp_path / "model.capture.json")
    gradscan.record(model, torch.rand(3, 4), file)
    report = scan(file)
    assert [finding["rule"] for finding in report["findings"]] == ["unfinished-reduction"]
    assert any("--require-grad" in fix["options"] for fix in report["fixes"])
    for place in ("blocks.0", "blocks.1", "blocks.2"):
        assert scan(file, "--require-grad", place)["findings"] == [], place
