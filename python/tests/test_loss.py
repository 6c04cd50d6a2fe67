"""The loss is what the training loop differentiates: what loss= computes, else the field of forward's result that is a loss."""

import dataclasses
import json
import zipfile
from collections import OrderedDict, UserDict, namedtuple

import pytest
import torch
from torch import nn

import gradscan


@dataclasses.dataclass
class Result:
    loss: torch.Tensor
    logits: torch.Tensor


class ModelOutput(OrderedDict):
    """Like that of transformers: a dict whose keys are also attributes."""

    def __init__(self, **members):
        super().__init__(**members)
        vars(self).update(members)


class Plain:
    def __init__(self, **members):
        vars(self).update(members)


class Lazy:
    """Computes its loss whenever it is asked."""

    def __init__(self, loss, logits):
        self.hidden, self.logits = loss, logits

    @property
    def loss(self):
        return self.hidden * 2


class Failing(Lazy):
    @property
    def loss(self):
        raise ValueError("no targets")


Named = namedtuple("Named", "loss logits")


class Model(nn.Module):
    """`head` leads to the logits only."""

    def __init__(self, make):
        super().__init__()
        self.make, self.stem, self.head = make, nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        hidden = self.stem(x)
        return self.make(loss=hidden.sum(), logits=self.head(hidden))


def taken(make, tmp_path, loss=None):
    """(paths, whether they are a guess), which export and record agree on."""
    model, x = Model(make), torch.rand(3, 4)
    gradscan.record(model, x, tmp_path / "m.capture.json", loss=loss)
    gradscan.export(model, x, tmp_path / "m.pt", loss=loss)
    capture = json.loads((tmp_path / "m.capture.json").read_text())
    with zipfile.ZipFile(tmp_path / "m.pt") as archive:
        exported = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("extra/gradscan.json"))))
    assert capture["loss_guessed"] == exported["loss_guessed"]
    assert [output["path"] for output in capture["outputs"] if output["in_loss"]] == exported["loss"]
    return exported["loss"], exported["loss_guessed"]


@pytest.mark.parametrize(
    "make, path",
    [
        (dict, "output['loss']"),
        (ModelOutput, "output['loss']"),
        (Result, "output.loss"),
        (Plain, "output.loss"),
        (UserDict, "output.data['loss']"),
        (Named, "output[0]"),
        (lambda loss, logits: {"loss": loss.mean(), "aux_loss": logits.sum(), "loss_dict": {"a": logits}}, "output['loss']"),
        (Lazy, "output.hidden"),
    ],
)
def test_a_field_named_loss(make, path, tmp_path):
    assert taken(make, tmp_path) == ([path], True)


@pytest.mark.parametrize(
    "make, paths",
    [
        (lambda loss, logits: {"loss_cls": loss, "loss_box": [loss * 2, loss * 3], "acc": logits.sum()}, 3),
        (lambda loss, logits: {"aux_loss": loss, "acc": logits.sum(), "loss_weight": 3, "loss_ema": loss.detach()}, 1),
        (lambda loss, logits: {"losses": {"a": loss, "b": loss * 2}, "logits": logits}, 2),
        (lambda loss, logits: {"loss": loss.detach(), "loss_cls": loss * 2, "logits": logits}, 1),
    ],
)
def test_fields_whose_names_contain_loss(make, paths, tmp_path):
    found, guessed = taken(make, tmp_path)
    assert guessed and len(found) == paths and all("loss" in path for path in found)


@pytest.mark.parametrize(
    "make",
    [
        lambda loss, logits: (loss, logits),
        lambda loss, logits: [{"loss": loss}, logits],
        lambda loss, logits: {"a": loss, "logits": logits, "loss": None},
        lambda loss, logits: Plain(a=loss, logits=logits, loss=loss.detach()),
        lambda loss, logits: Plain(a=loss, logits=logits, loss=nn.MSELoss()),
        Failing,
        lambda loss, logits: {3: loss, "logits": logits},
    ],
)
def test_without_such_a_field_it_is_everything(make, tmp_path):
    found, guessed = taken(make, tmp_path)
    assert guessed and len(found) == 2


def test_the_callers_loss_is_no_guess(tmp_path):
    for field in ("loss", "logits"):
        assert taken(dict, tmp_path, lambda output, field=field: output[field].sum()) == ([f"output['{field}']"], False)


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
@pytest.mark.parametrize("make", [dict, Result, ModelOutput])
def test_a_head_that_only_the_logits_use(make, write, file, scan, tmp_path):
    """Real DDP raises by default: see test_several_errors_of_a_process_group."""
    write(Model(make), torch.rand(3, 4), tmp_path / file)
    report = scan(str(tmp_path / file))
    assert report["verdict"]["outcome"] == "unfinished_reduction"
    assert {p["name"] for p in report["parameters"] if not p["in_loss"]} == {"head.weight", "head.bias"}
