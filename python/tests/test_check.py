"""check() and explain()."""

import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cases
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


VERDICT = {
    "checkpointing": "reentrant",
    "find_unused_parameters": False,
    "static_graph": False,
    "outcome": "pass",
    "iteration": None,
    "message": "",
    "parameters": [],
    "unsynchronised": [],
    "untrained": [],
}


@pytest.mark.parametrize(
    ("severity", "ok"), [("error", False), ("silent", False), ("unknown", False), ("note", True), ("pass", True)]
)
def test_the_severity_of_a_verdict(severity, ok):
    """An error may come without DDP, such as one of backward: the outcome does not show it."""
    data = {"parameters": [], "findings": [], "regions": [], "setup": {"checkpointing": "reentrant"}}
    report = gradscan.Report(data | {"verdict": VERDICT | {"severity": severity}}, "")
    assert report.verdict().severity == severity and report.verdict().ok is ok


class TwoPaths(nn.Module):
    """The second run of its region is not like the first."""

    def __init__(self):
        super().__init__()
        self.a, self.count = nn.Linear(4, 4), 0

    def block(self, x):
        self.count += 1
        return self.a(x) if self.count % 2 else torch.tanh(self.a(x))

    def forward(self, x):
        return checkpoint(self.block, x, use_reentrant=True)


def test_a_verdict_is_not_ok_where_its_report_is_not(gradscan_binary):
    report = gradscan.check(TwoPaths(), torch.rand(3, 4, requires_grad=True), program=gradscan_binary)
    assert report.findings[0]["rule"] == "recomputation-differs"
    assert not report.ok and not report.verdict().ok and report.verdict().outcome == "pass"


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


def on_two_ranks(function, folder, *args):
    """Runs function(rank, folder, *args) on two ranks of a process group."""
    mp.spawn(on_rank, (function, str(folder), *args), 2)


def on_rank(rank, function, folder, *args):
    """A process whose group still exists when it ends may be aborted, and a DistributedDataParallel keeps its group until it
    has been collected."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    function(rank, folder, *args)
    gc.collect()
    dist.destroy_process_group()


def train(rank, folder, make, program):
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
    on_two_ranks(train, tmp_path, make, program)
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
    on_two_ranks(several_errors, tmp_path, gradscan_binary)
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


def outcome_of(run):
    try:
        run()
    except RuntimeError as error:
        return f"{type(error).__name__}\n{error}\nnotes: {getattr(error, '__notes__', [])}"
    return "no error"


def train_cases(rank, folder, program):

    def train_one(name, **flags):
        case = cases.CASES[name]
        ddp = DistributedDataParallel(case.model(reentrant), bucket_cap_mb=case.bucket_cap_mb, **flags)
        with gradscan.explain(ddp, program=program, loss=case.loss, keep=f"{folder}/{name}.capture.json"):
            for _ in range(3):
                ddp.zero_grad()
                x = torch.rand(cases.ROWS, cases.WIDTH).requires_grad_(case.input_requires_grad)
                (case.loss or torch.sum)(ddp(x)).backward()

    found = {"undefined": outcome_of(lambda: train_one("tied_embedding_all_in_regions", find_unused_parameters=True))}
    with open(f"{folder}/{rank}", "w") as file:
        json.dump(found, file)


def reentrant(function, *args):
    return checkpoint(function, *args, use_reentrant=True)


def test_messages_without_an_outcome_of_their_own(tmp_path, gradscan_binary):
    on_two_ranks(train_cases, tmp_path, gradscan_binary)
    explained, other = sorted(json.loads((tmp_path / str(rank)).read_text())["undefined"] for rank in range(2))
    assert explained.startswith("DDPError\n") and "gradscan's report" in explained
    assert "RuntimeError\nEncountered gradient which is undefined" in other
    assert (tmp_path / "tied_embedding_all_in_regions.capture.json").exists()


SCRIPT = """
import sys, torch, gradscan
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

class DeadHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.dead = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.stem(x)

dist.init_process_group("gloo")
ddp = DistributedDataParallel(DeadHead())
with gradscan.explain(ddp, keep="kept.capture.json" if sys.argv[1] == "keep" else None, program=sys.argv[2]):
    for _ in range(3):
        if _ and sys.argv[1] == "other" and dist.get_rank() == 1:
            import time
            time.sleep(1)
            raise OSError("the disk is full")
        ddp(torch.rand(3, 4)).sum().backward()
"""


def torchrun(tmp_path, *args):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "temporary").mkdir()
    folders = [str(Path(gradscan.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "GLOO_SOCKET_IFNAME": "lo",
        "TMPDIR": str(tmp_path / "temporary"),
        "PYTHONPATH": os.pathsep.join(filter(None, folders)),
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py", *args]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert not list((tmp_path / "temporary").glob("gradscan-*"))
    return done.stderr


@pytest.mark.parametrize("case", ["plain", "keep", "other"])
def test_torchrun_waits_for_the_explanation(case, tmp_path, gradscan_binary):
    program = slow(gradscan_binary, tmp_path)
    words = torchrun(tmp_path, case, str(program))
    assert "gradscan: rank " in words and "waits, 10 minutes at most, while another one explains the error" in words
    name = "kept.capture.json" if case == "keep" else "DeadHead.capture.json"
    assert f"{name} (gradscan" in words and "dead.weight" in words
    assert (tmp_path / "kept.capture.json").exists() == (case == "keep")
    assert "Expected to have finished reduction" in words and ("the disk is full" in words) == (case == "other")


def slow(program, folder):
    """The program, which takes two seconds: long enough for torchrun to end it if nobody waits."""
    script = folder / "slow"
    script.write_text(f'#!/bin/sh\nsleep 2\nexec {program} "$@"\n')
    script.chmod(0o755)
    return script


def test_a_signal_leaves_no_folder(tmp_path):
    """It comes while the tool is running."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho $PPID > started\nexec sleep 60\n")
    program.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    script = f"import torch, gradscan; gradscan.check(torch.nn.Linear(4, 4), torch.rand(3, 4), program={str(program)!r})"
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary"), "PYTHONPATH": str(Path(gradscan.__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment)
    while not (tmp_path / "started").exists() or not (tmp_path / "started").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    assert not list((tmp_path / "temporary").glob("gradscan-*"))


@pytest.mark.parametrize("run", [gradscan.check, gradscan.explain])
def test_the_name_of_a_kept_capture(run, tmp_path, gradscan_binary, process_group):
    ddp = DistributedDataParallel(nn.Linear(4, 4))
    with pytest.raises(gradscan.Error, match="choose one that ends in .capture.json"):
        with run(ddp, keep="m.json") if run is gradscan.explain else run(ddp, torch.rand(3, 4), keep="m.json"):
            pass
    report = gradscan.check(ddp, torch.rand(3, 4), program=gradscan_binary, keep=tmp_path / "kept.capture.json")
    assert report.text.startswith("kept.capture.json") and (tmp_path / "kept.capture.json").exists()


def test_the_report_names_the_class(gradscan_binary, process_group):
    report = gradscan.check(DistributedDataParallel(DeadHead()), torch.rand(3, 4), program=gradscan_binary)
    assert report.text.startswith("DeadHead.capture.json")


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
