"""Compiled models: what gradscan says of them is what the real DistributedDataParallel does with them."""

import itertools
import json
import os
import sys
import tempfile
from datetime import timedelta
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import gradscan

reentrant = partial(checkpoint, use_reentrant=True)
BACKEND = "aot_eager"


class Model(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.a, self.b, self.c, self.run = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), run

    def forward(self, x):
        return self.run(self, x)


def broken(m, x):
    def inside(x):
        torch._dynamo.graph_break()
        return m.b(x)

    return m.c(reentrant(inside, m.a(x)))


MODELS = {
    "in a region": lambda m, x: m.c(reentrant(m.b, m.a(x))),
    "in two regions": lambda m, x: m.c(reentrant(m.b, reentrant(m.b, m.a(x)))),
    "input without grad": lambda m, x: m.c(m.b(reentrant(m.a, x))),
    "unused": lambda m, x: m.c(reentrant(m.a, x)),
    "only for an output that the loss leaves out": lambda m, x: {"loss": m.c(reentrant(m.a, x)).sum(), "other": m.b(x)},
    "the graph breaks in a region": broken,
}
FLAGS = {
    "default": {},
    "find_unused_parameters": {"find_unused_parameters": True},
    "static_graph": {"static_graph": True},
}
ORDERS = {
    "compiled inside": lambda model, flags: DistributedDataParallel(torch.compile(model, backend=BACKEND), **flags),
    "compiled outside": lambda model, flags: torch.compile(DistributedDataParallel(model, **flags), backend=BACKEND),
}
CASES = list(itertools.product(MODELS, FLAGS, ORDERS))


def outcome(ddp, rank):
    """What happens in three iterations; the ranks have different data."""
    torch.manual_seed(rank)
    for _ in range(3):
        ddp.zero_grad()
        output = ddp(torch.rand(3, 4))
        try:
            (output["loss"] if isinstance(output, dict) else output.square().sum()).backward()
        except RuntimeError as error:
            return str(error)
        dist.barrier()
    return ""


def measure(rank, folder):
    measured = {}
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    for model, flags, order in CASES:
        torch._dynamo.reset()
        torch.manual_seed(0)
        ddp = ORDERS[order](Model(MODELS[model]), FLAGS[flags])
        if rank == 0:  # on one rank only: it runs no collectives
            gradscan.record(ddp, torch.rand(3, 4), f"{folder}/{model}, {flags}, {order}.capture.json", iterations=1)
        torch._dynamo.reset()
        try:
            measured[f"{model}, {flags}, {order}"] = outcome(ddp, rank)
        except RuntimeError as error:  # in the next forward
            measured[f"{model}, {flags}, {order}"] = str(error)
        dist.barrier()
    dist.destroy_process_group()
    with open(f"{folder}/rank{rank}.json", "w") as file:
        json.dump(measured, file)


@pytest.fixture(scope="module")
def measured():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        mp.spawn(measure, (folder,), nprocs=2)
        with open(f"{folder}/rank0.json") as file:
            yield folder, json.load(file)


@pytest.mark.parametrize("model, flags, order", CASES)
def test_real_ddp_does_the_same(model, flags, order, measured, scan):
    folder, messages = measured
    case = f"{model}, {flags}, {order}"
    verdict = scan(f"{folder}/{case}.capture.json")["verdict"]
    assert verdict["message"].split(".")[0] == messages[case].split(".")[0]


def notes_on(model, folder, **options):
    gradscan.record(model, torch.rand(3, 4), folder / "m.capture.json", **options)
    notes = json.loads((folder / "m.capture.json").read_text())["notes"]
    return [note for note in notes if "is compiled" in note]


def compiled_in_place(model):
    model.compile(backend=BACKEND)
    return model


def test_the_report_says_which_of_the_two_is_judged(tmp_path):
    model = Model(MODELS["in a region"])
    assert notes_on(model, tmp_path) == []
    for compile_it in (partial(torch.compile, backend=BACKEND), compiled_in_place):
        (note,) = notes_on(compile_it(model), tmp_path)
        assert note.startswith("the model is compiled, so its checkpoint regions are part of")
    assert "is the verdict on the model without torch.compile" in notes_on(model, tmp_path, verify=False)[0]
    broken_model = torch.compile(Model(broken), backend=BACKEND)
    assert "its graph breaks within a checkpoint region" in notes_on(broken_model, tmp_path)[0]


def test_compiled_parts_of_a_model_are_seen_as_they_are_without(scan, tmp_path):
    model = Model(MODELS["in two regions"])
    model.b = torch.compile(model.b, backend=BACKEND)
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    report = scan(str(tmp_path / "m.capture.json"))
    assert report["verdict"]["outcome"] == "marked_ready_twice" and report.get("disagreements", []) == []


def test_an_export_says_that_it_is_not_compiled(scan, tmp_path):
    gradscan.export(torch.compile(nn.Linear(4, 4), backend=BACKEND), torch.rand(3, 4), tmp_path / "m.pt")
    assert any("without torch.compile: gradscan.record" in note for note in scan(str(tmp_path / "m.pt"))["notes"])


def test_what_without_compilation_happens_is_in_the_table(scan, tmp_path):
    gradscan.record(torch.compile(Model(MODELS["in two regions"])), torch.rand(3, 4), tmp_path / "m.capture.json")
    report = scan(str(tmp_path / "m.capture.json"))
    assert report["verdict"]["outcome"] == "pass"
    row = report["verdicts"][0]
    assert row["checkpointing"] == "reentrant" and row["outcome"] == "marked_ready_twice"
