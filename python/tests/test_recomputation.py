"""Regions whose second run, in backward, would save other tensors than their first."""

import json

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gradscan


class Model(nn.Module):
    """`block(model, x)` is what its two regions run."""

    def __init__(self, block, **options):
        super().__init__()
        self.block, self.options = block, {"use_reentrant": False} | options
        self.a, self.b, self.dropout, self.count = nn.Linear(4, 4), nn.Linear(4, 4), nn.Dropout(0.5), 0

    def forward(self, x):
        self.count += 1
        for _ in range(2):
            x = checkpoint(self.block, self, x, **self.options)
        self.count += 1
        return x


def recomputations(tmp_path, model):
    gradscan.record(model, torch.rand(3, 4, requires_grad=True), tmp_path / "m.capture.json", iterations=2)
    return [region.get("recomputation") for region in json.loads((tmp_path / "m.capture.json").read_text())["regions"]]


def real_error(model):
    try:
        model(torch.rand(3, 4, requires_grad=True)).sum().backward()
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


def steady(model, x):
    return torch.tanh(model.b(model.dropout(model.a(x))))


def fewer_later(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else x


def more_later(model, x):
    x = model.a(x)
    return x if model.count % 2 else torch.tanh(x)


def other_shape_later(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else torch.tanh(x[:2]).repeat(2, 1)[:3]


def torch_coin(model, x):
    x = model.a(x)
    return torch.tanh(x) if torch.rand(()) < 0.5 else x * 2


def autocast_inside(model, x):
    return torch.tanh(model.a(x)).float()


@pytest.mark.parametrize("reentrant", [True, False])
def test_another_path(reentrant, tmp_path):
    assert recomputations(tmp_path, Model(steady, use_reentrant=reentrant)) == [None, None]
    fewer = "the first run saves 3 tensors, the second 2"
    assert recomputations(tmp_path, Model(fewer_later, use_reentrant=reentrant)) == [fewer, fewer]
    more = "the first run saves 2 tensors, the second 3"
    assert recomputations(tmp_path, Model(more_later, use_reentrant=reentrant)) == [more, more]
    shape = "of 3 saved tensors, number 3 is float32[3, 4] in the first run, float32[2, 4] in the second"
    assert recomputations(tmp_path, Model(other_shape_later, use_reentrant=reentrant)) == [shape, shape]


def test_real_checkpointing_raises():
    assert "different number of tensors was saved" in real_error(Model(fewer_later))
    assert "have different metadata" in real_error(Model(other_shape_later))
    assert real_error(Model(steady)) == ""


def test_random_numbers_are_preserved(tmp_path):
    for seed in range(4):
        torch.manual_seed(seed)
        assert recomputations(tmp_path, Model(torch_coin)) == [None, None]
    assert any(any(recomputations(tmp_path, Model(torch_coin, preserve_rng_state=False))) for _ in range(8))


def test_autocast_is_preserved(tmp_path):
    class Casting(Model):
        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return super().forward(x)

    assert recomputations(tmp_path, Casting(autocast_inside)) == [None, None]


def test_nothing_stays(tmp_path):
    model, x = Model(torch_coin, preserve_rng_state=False), torch.rand(3, 4)
    before = torch.get_rng_state()
    gradscan.record(model, x, tmp_path / "m.capture.json")
    assert model.count == 0 and torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
