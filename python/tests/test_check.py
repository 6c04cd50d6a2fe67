"""check() and explain()."""

import os
import sys

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import gradscan


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.stem(x)
        return checkpoint(self.block, checkpoint(self.block, x, use_reentrant=True), use_reentrant=True)


class DeadHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.dead = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.stem(x)


def test_report(gradscan_binary):
    report = gradscan.check(Twice(), torch.rand(3, 4), program=gradscan_binary)
    assert not report.ok
    assert report.verdict().outcome == "marked_ready_twice" and not report.verdict().ok
    assert report.verdict().parameters == ("block.bias",)
    assert report.verdict("reentrant", static_graph=True).ok
    assert report.verdict("non_reentrant").ok
    assert report.parameters["block.bias"].firings == {"reentrant": 2, "non_reentrant": 1, "off": 1}
    assert report.parameters["block.bias"].index == 3
    assert report.findings[0]["rule"] == "marked-ready-twice"
    assert report.fixes
    assert "block.bias" in str(report)
    with pytest.raises(gradscan.Error, match="there is no verdict for"):
        report.verdict("mixed")


def test_a_sound_model(gradscan_binary):
    report = gradscan.check(nn.Linear(4, 4), torch.rand(3, 4), program=gradscan_binary, find_unused_parameters=True)
    assert report.ok, report
    assert report.verdict().find_unused_parameters


def test_options(gradscan_binary):
    report = gradscan.check(Twice(), torch.rand(3, 4), program=gradscan_binary, options=("--checkpointing", "non-reentrant"))
    assert report.ok


def test_no_program(monkeypatch):
    monkeypatch.delenv("GRADSCAN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(gradscan.Error, match="gradscan: no such program: install the command line tool"):
        gradscan.check(nn.Linear(4, 4), torch.rand(3, 4))


def test_a_program_that_fails(gradscan_binary):
    with pytest.raises(gradscan.Error, match="--checkpointing"):
        gradscan.check(nn.Linear(4, 4), torch.rand(3, 4), program=gradscan_binary, options=("--checkpointing", "nonsense"))


# --- explain -----------------------------------------------------------------------------------------------------------------


def train(rank, folder, make, program):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    ddp = DistributedDataParallel(make())
    hooks = len(ddp._forward_pre_hooks)
    outcome = "no error"
    try:
        with gradscan.explain(ddp, program=program):
            for _ in range(3):
                ddp(torch.rand(3, 4)).sum().backward()
    except RuntimeError as error:
        outcome = f"{type(error).__name__}\n{error}\ncause: {error.__cause__}\nnotes: {getattr(error, '__notes__', [])}"
    assert len(ddp._forward_pre_hooks) == hooks
    with open(f"{folder}/{rank}", "w") as file:
        file.write(outcome)


def outcomes(tmp_path, make, program):
    mp.spawn(train, (str(tmp_path), make, program), 2)
    return sorted((tmp_path / str(rank)).read_text() for rank in range(2))


@pytest.mark.parametrize("make, mark, cause", [(Twice, "ready only once", "block"), (DeadHead, "finished reduction", "dead")])
def test_one_rank_explains(make, mark, cause, tmp_path, gradscan_binary):
    explained, other = outcomes(tmp_path, make, gradscan_binary)
    assert explained.startswith("DDPError\nDistributedDataParallel has raised an error. gradscan's report")
    assert cause in explained.split("cause: ")[0] and mark in explained.split("cause: ")[1]
    assert other.startswith("RuntimeError\nExpected to") and mark in other


def test_all_is_well(tmp_path, gradscan_binary):
    assert outcomes(tmp_path, lambda_free_linear, gradscan_binary) == ["no error", "no error"]


def lambda_free_linear():
    return nn.Linear(4, 4)


def test_nothing_is_hidden_when_gradscan_fails(tmp_path):
    for outcome in outcomes(tmp_path, Twice, "/nowhere/gradscan"):
        assert outcome.startswith("RuntimeError\nExpected to mark a variable ready only once")
    if sys.version_info >= (3, 11):
        notes = [outcome.split("notes: ")[1] for outcome in outcomes_of(tmp_path)]
        assert sorted("could not explain this" in note for note in notes) == [False, True]


def outcomes_of(tmp_path):
    return [(tmp_path / str(rank)).read_text() for rank in range(2)]


def test_explain_wants_ddp():
    with pytest.raises(gradscan.Error, match="explain is given a Linear"), gradscan.explain(nn.Linear(4, 4)):
        pass


def test_other_errors_pass(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        ddp = DistributedDataParallel(nn.Linear(4, 4))
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), gradscan.explain(ddp):
            ddp(torch.rand(3, 5))
    finally:
        dist.destroy_process_group()
