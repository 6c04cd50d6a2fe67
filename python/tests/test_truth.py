"""gradscan's verdicts on the files for the models of tests/truth are what the real DistributedDataParallel does with them."""

import json
from pathlib import Path

import cases
import pytest
import torch
from torch.utils.checkpoint import checkpoint

import gradscan

ROWS = json.loads((Path(cases.__file__).parent / "ddp_rows.json").read_text())
FLAGS = ("default", "find_unused_parameters", "static_graph")


def run_plainly(function, *args):
    return function(*args)


CHECKPOINTING = {
    "reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=True),
    "non_reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=False),
    "off": run_plainly,
}


def is_one_graph(case):
    """One forward and one backward per iteration, the same in each."""
    model = case.model(run_plainly)
    return case.step == cases.Step() and not changes(model)


def changes(model):
    x = torch.rand(cases.ROWS, cases.WIDTH)
    before = dict(vars(model))
    model(x)
    return dict(vars(model)) != before


CASES = [
    (name, kind)
    for name, case in cases.CASES.items()
    if is_one_graph(case)
    for kind in ("reentrant", "non_reentrant", "off")
    if kind in case.kinds
]


def files_of(name, kind, folder):
    case = cases.CASES[name]
    x = torch.rand(cases.ROWS, cases.WIDTH).requires_grad_(case.input_requires_grad)
    for write, suffix in ((gradscan.export, ".pt"), (gradscan.record, ".capture.json")):
        file = str(folder / f"{name}{suffix}")
        write(case.model(CHECKPOINTING[kind]), x, file, loss=case.loss, bucket_cap_mb=1)
        yield file


def rows_of(name):
    """{(kind, flags): the outcome}, as measured with the defaults of both options."""
    found = {}
    for row in ROWS["rows"]:
        if row["case"] == name and row["flags"] in FLAGS and "" in row.get("options", [""]):
            found[row["checkpointing"], row["flags"]] = {
                "outcome": row["outcome"],
                "iteration": row["iteration"],
                "parameters": row["parameters"],
                "unsynchronised": list(row["unsynchronised"]) if row["outcome"] == "pass" else [],
                "untrained": row["untrained"],
            }
    return found


def rows_in(report, kinds):
    names = {parameter["index"]: parameter["name"] for parameter in report["parameters"]}
    found = {}
    for verdict in report["verdicts"]:
        flags = next((flag for flag in FLAGS[1:] if verdict[flag]), "default")
        if verdict["checkpointing"] in kinds:
            found[verdict["checkpointing"], flags] = {
                "outcome": verdict["outcome"],
                "iteration": verdict["iteration"],
                "parameters": [[index, names[index]] for index, _ in verdict["parameters"]],
                "unsynchronised": [names[i] for i in verdict["unsynchronised"]] if verdict["outcome"] == "pass" else [],
                "untrained": [names[index] for index in verdict["untrained"]],
            }
    return found


@pytest.mark.parametrize("name, kind", CASES)
def test_real_ddp_does_the_same(name, kind, scan, tmp_path):
    """A file with regions yields verdicts for all kinds of checkpointing, and both files hold the same capture."""
    kinds = [kind] if kind == "off" else list(cases.CASES[name].kinds)
    firings = {row["checkpointing"]: row["firings"] for row in ROWS["firings"] if row["case"] == name}
    measured = {key: row for key, row in rows_of(name).items() if key[0] in kinds}
    captures = []
    for file in files_of(name, kind, tmp_path):
        saved = tmp_path / f"{len(captures)}.capture.json"
        report = scan(file, "--save-capture", str(saved))
        assert rows_in(report, kinds) == measured, file
        for kind_asked in kinds:
            assert [p["firings"][kind_asked] for p in report["parameters"]] == firings[kind_asked], (file, kind_asked)
        captures.append(json.loads(saved.read_text()))
    with_memory_in_place(*captures)
    for key in ("parameters", "regions", "nodes", "outputs"):
        assert captures[0].get(key) == captures[1].get(key), key


def with_memory_in_place(*captures):
    """Makes captures comparable: the order of a node's saved tensors and the numbers of storages do not matter."""
    for capture in captures:
        for node in capture["nodes"]:
            storages = [capture["storages"][number] for number in node.get("saved", [])]
            node["saved"] = sorted((storage["bytes"], storage.get("activation", True)) for storage in storages)
