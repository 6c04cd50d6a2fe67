"""check() and explain()."""

import json
import os
import re
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


class Partly(nn.Module):
    """The reentrant region gets no gradient because x does not require grad. The use outside of it does."""

    def __init__(self):
        super().__init__()
        self.block = nn.Linear(4, 4)

    def forward(self, x):
        return self.block(x) + checkpoint(self.block, x, use_reentrant=True)


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


def test_a_parameter_that_the_loss_does_not_need_is_no_failure(gradscan_binary):
    report = gradscan.check(DeadHead(), torch.rand(3, 4), program=gradscan_binary, find_unused_parameters=True)
    assert report.ok and report.verdict().ok
    assert report.verdict().untrained == ("dead.weight", "dead.bias") and report.verdict().lost == ()
    assert not report.verdict("off").ok


def test_a_part_of_a_gradient_is_lost(gradscan_binary):
    report = gradscan.check(Partly(), torch.rand(3, 4), program=gradscan_binary)
    assert not report.ok and report.verdict().outcome == "pass"
    for verdict in (report.verdict(), report.verdict("reentrant")):
        assert not verdict.ok
        assert verdict.untrained == () and verdict.lost == ("block.weight", "block.bias")
    assert report.verdict("non_reentrant").ok and report.verdict("off").ok


@pytest.mark.parametrize("name", ["A/B", "..", "L" * 300, "Café"])
def test_a_class_of_any_name(name, gradscan_binary):
    model = type(name, (nn.Linear,), {})(4, 4)
    assert gradscan.check(model, torch.rand(3, 4), program=gradscan_binary).ok


def test_options(gradscan_binary):
    report = gradscan.check(Twice(), torch.rand(3, 4), program=gradscan_binary, options=("--checkpointing", "non-reentrant"))
    assert report.ok


def test_what_a_baseline_accepts_is_ok(gradscan_binary, tmp_path):
    args = torch.rand(3, 4)
    found = tmp_path / "found.json"
    report = gradscan.check(Twice(), args, program=gradscan_binary, options=("--write-baseline", str(found)))
    assert not report.ok
    baseline = json.loads(found.read_text())
    for entry in baseline["findings"]:
        entry["model"] = os.path.basename(entry["model"])
    known = tmp_path / "known.json"
    known.write_text(json.dumps(baseline))
    report = gradscan.check(Twice(), args, program=gradscan_binary, options=("--baseline", str(known)))
    assert report.ok and report.findings[0]["accepted"]
    assert not report.verdict().ok


def test_no_program(monkeypatch):
    monkeypatch.delenv("GRADSCAN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(gradscan.Error, match="gradscan: no such program: install the command line tool"):
        gradscan.check(nn.Linear(4, 4), torch.rand(3, 4))


@pytest.mark.parametrize(
    "script",
    [
        "#!/nowhere/interpreter\n",
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\nexit 1\n",
        '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --output ] && echo "{}" > "$2"; shift; done\nexit 0\n',
        '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --output ] && echo text > "$2"; shift; done\nexit 0\n',
    ],
)
def test_another_program(script, tmp_path):
    program = tmp_path / "program"
    program.write_text(script)
    program.chmod(0o755)
    with pytest.raises(gradscan.Error, match=f"{program}: does not behave like gradscan: install"):
        gradscan.check(nn.Linear(4, 4), torch.rand(3, 4), program=str(program))


def test_flags_of_a_verdict_go_with_its_checkpointing(gradscan_binary):
    report = gradscan.check(nn.Linear(4, 4), torch.rand(3, 4), program=gradscan_binary)
    for flag in ("static_graph", "find_unused_parameters"):
        with pytest.raises(gradscan.Error, match="pass its checkpointing as well"):
            report.verdict(**{flag: True})
        assert report.verdict("off", **{flag: True}).ok


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
    assert explained.startswith("DDPError\nDistributedDataParallel raised an error. gradscan's report")
    assert cause in explained.split("cause: ")[0] and mark in explained.split("cause: ")[1]
    assert other.startswith("RuntimeError\nExpected to") and mark in other


def test_all_is_well(tmp_path, gradscan_binary):
    assert outcomes(tmp_path, linear, gradscan_binary) == ["no error", "no error"]


def linear():
    return nn.Linear(4, 4)


def test_nothing_is_hidden_when_gradscan_fails(tmp_path):
    for outcome in outcomes(tmp_path, Twice, "/nowhere/gradscan"):
        assert outcome.startswith("RuntimeError\nExpected to mark a variable ready only once")
    if sys.version_info >= (3, 11):
        notes = [outcome.split("notes: ")[1] for outcome in outcomes_of(tmp_path)]
        assert sorted("could not explain this" in note for note in notes) == [False, True]


def outcomes_of(tmp_path):
    return [(tmp_path / str(rank)).read_text() for rank in range(2)]


class DeadAtTimes(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, use_head=True):
        return self.head(self.stem(x)) if use_head else self.stem(x)


class TwoOutputs(DeadAtTimes):
    def __init__(self, first):
        super().__init__()
        self.first = first

    def forward(self, x):
        return {self.first: self.stem(x).sum(), "other": self.head(x)}


def with_synchronised_norm(ddp, x):
    ddp.module.norm = nn.SyncBatchNorm(4)  # only now, because DDP rejects it on a CPU
    return ddp(x).sum()


def several_errors(rank, folder, program):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)

    def outcome(model, *iterations):
        ddp = DistributedDataParallel(model)
        try:
            with gradscan.explain(ddp, program=program):
                for iteration in iterations:
                    iteration(ddp).backward()
        except RuntimeError as error:
            return f"{type(error).__name__}\n{error}\nnotes: {getattr(error, '__notes__', [])}"
        return "no error"

    x = torch.rand(3, 4)
    found = {
        "first": outcome(Twice(), lambda ddp: ddp(x).sum()),
        "second": outcome(Twice(), lambda ddp: ddp(x).sum()),
        "earlier batch": outcome(DeadAtTimes(), lambda ddp: ddp(x, use_head=False).sum(), lambda ddp: ddp(x).sum()),
        "field": outcome(TwoOutputs("loss"), *[lambda ddp: ddp(x)["loss"]] * 2),
        "part": outcome(TwoOutputs("main"), *[lambda ddp: ddp(x)["main"]] * 2),
        "synchronised": outcome(Twice(), lambda ddp: with_synchronised_norm(ddp, x)),
    }
    with open(f"{folder}/{rank}", "w") as file:
        json.dump(found, file)


def test_several_errors_of_a_process_group(tmp_path, gradscan_binary):
    mp.spawn(several_errors, (str(tmp_path), gradscan_binary), 2)
    ranks = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    for name in ("first", "second", "earlier batch", "field"):
        explained, other = sorted(rank[name] for rank in ranks)
        assert explained.startswith("DDPError\n") and "gradscan's report" in explained, name
        assert other.startswith("RuntimeError\nExpected to"), name
    assert any("head.weight" in rank["earlier batch"] for rank in ranks)
    for name, note in (("part", "verdict is pass.*pass loss= to explain"), ("synchronised", "SyncBatchNorm needs all ranks")):
        assert all(rank[name].startswith("RuntimeError\nExpected to") for rank in ranks), name
        if sys.version_info >= (3, 11):
            assert sorted(bool(re.search(note, rank[name])) for rank in ranks) == [False, True], name


def test_explain_needs_ddp():
    with (
        pytest.raises(gradscan.Error, match="explain needs a DistributedDataParallel, not a Linear"),
        gradscan.explain(nn.Linear(4, 4)),
    ):
        pass


def test_other_errors_pass(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        ddp = DistributedDataParallel(nn.Linear(4, 4))
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), gradscan.explain(ddp):
            ddp(torch.rand(3, 5))
    finally:
        dist.destroy_process_group()
