"""What gradscan says about real models, compared with what the real DistributedDataParallel does with them.

    real_models/setup && GRADSCAN=.../gradscan .venv-real/bin/python3 real_models/compare.py [OUT.md] [NAME...]

For each model of models.py and each kind of checkpointing, gradscan on the files of export() and record() is compared with DDP
itself (2 ranks, gloo, CPU, 4 iterations) with each of its flags: every parameter's firings in one backward, the outcome, the
iteration in which an error is raised, the parameters that it names, and, if there is none, the parameters that are not averaged
or not trained. Every iteration starts from the same random state, so a model that draws random numbers always runs the same
way. The two ranks have different data.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path

os.environ["TORCH_DISTRIBUTED_DEBUG"] = "INFO"  # messages with names
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
import torch.multiprocessing as mp  # noqa: E402
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True}}
ITERATIONS, RANKS = 4, 2
OUTCOMES = {
    "mark a variable ready only once": "marked_ready_twice",
    "Expected to have finished reduction": "unfinished_reduction",
    "training graph has changed": "graph_changed",
}


def new_model(case, kind):
    """Replaces the zeros that some libraries initialize with: they make gradients zero for no reason in the graph."""
    torch.manual_seed(0)
    model = case.make(kind)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return model


def inputs_of(case, rank):
    torch.manual_seed(100 + rank)
    return case.inputs()


def trainable(model):
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def firings_of(case, kind):
    """{parameter: firings} in one backward without DDP; "error" if backward fails even so."""
    model, inputs, nodes = new_model(case, kind), inputs_of(case, 0), []
    counts = dict.fromkeys(trainable(model), 0)
    for name, parameter in trainable(model).items():
        node = torch.autograd.graph.get_gradient_edge(parameter).node
        node.register_hook(lambda *_, name=name: counts.update({name: counts[name] + 1}))
        nodes.append(node)
    torch.manual_seed(7)
    try:
        case.loss(model(**inputs)).backward()
    except RuntimeError as error:
        counts["error"] = str(error).splitlines()[0]
    return counts


def gradients_differ(parameter):
    own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach().contiguous()
    gathered = [torch.empty_like(own) for _ in range(RANKS)]
    dist.all_gather(gathered, own)
    return not torch.equal(*gathered), any(bool(gradient.any()) for gradient in gathered)


def indices_in(message):
    one = re.search(r"Parameter at index (\d+)", message)
    many = re.search(r"indices which did not receive grad[^:]*:((?: \d+)+)", message)
    return [int(one.group(1))] if one else [int(index) for index in many.group(1).split()] if many else []


def outcome_of_ddp(case, kind, flags, rank):
    model, inputs = new_model(case, kind), inputs_of(case, rank)
    names, apart, trained = list(trainable(model)), set(), set()
    ddp = DistributedDataParallel(model, bucket_cap_mb=1, **FLAGS[flags])
    for iteration in range(ITERATIONS):
        try:
            ddp.zero_grad()
            torch.manual_seed(7)
            case.loss(ddp(**inputs)).backward()
        except RuntimeError as error:
            outcome = next((name for mark, name in OUTCOMES.items() if mark in str(error)), "other")
            return {
                "outcome": outcome,
                "iteration": iteration,
                "parameters": [names[k] for k in sorted(indices_in(str(error)))],
                "not averaged": [],
                "not trained": [],
            }
        for name, parameter in trainable(model).items():
            differ, nonzero = gradients_differ(parameter)
            apart |= {name} if differ else set()
            trained |= {name} if nonzero else set()
    return {
        "outcome": "pass",
        "iteration": None,
        "parameters": [],
        "not averaged": [n for n in names if n in apart],
        "not trained": [n for n in names if n not in trained],
    }


def measure(rank, store, out, names):
    from models import CASES

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS, timeout=timedelta(seconds=120))
    measured = {}
    for name in names:
        for kind in CASES[name].kinds:
            firings = firings_of(CASES[name], kind)
            measured[f"{name}|{kind}"] = {
                "firings": firings,
                "ddp": {flags: outcome_of_ddp(CASES[name], kind, flags, rank) for flags in FLAGS},
            }
            dist.barrier()
        if rank == 0:
            print(f"measured {name}", file=sys.stderr, flush=True)
    if rank == 0:
        Path(out).write_text(json.dumps(measured))


# --- gradscan ----------------------------------------------------------------------------------------------------------------


def gradscan_says(case, kind, way, folder):
    """In the format of `measure`, or the error that prevents it."""
    import gradscan

    file = f"{folder}/m" + {"export": ".pt", "record": ".capture.json"}[way]
    model, inputs = new_model(case, kind), inputs_of(case, 0)
    torch.manual_seed(7)
    try:
        getattr(gradscan, way)(model, (), file, kwargs=inputs, loss=case.loss, bucket_cap_mb=1)
    except gradscan.Error as error:
        return {"error": str(error)}
    run = subprocess.run([os.environ.get("GRADSCAN", "gradscan"), "--format", "json", file], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        return {"error": run.stderr.strip()}
    return told(json.loads(run.stdout), kind)


def told(report, kind):
    names = {parameter["index"]: parameter["name"] for parameter in report["parameters"]}
    rows = {}
    for verdict in report["verdicts"]:
        flags = next((flag for flag in list(FLAGS)[1:] if verdict[flag]), "default")
        if verdict["checkpointing"] == kind:
            passes = verdict["outcome"] == "pass"
            rows[flags] = {
                "outcome": verdict["outcome"],
                "iteration": verdict["iteration"],
                "parameters": [names[index] for index in sorted(index for index, _ in verdict["parameters"])],
                "not averaged": [names[index] for index in verdict["unsynchronised"]] if passes else [],
                "not trained": [names[index] for index in verdict["untrained"]],
            }
    firings = {parameter["name"]: parameter["firings"][kind] for parameter in report["parameters"]}
    return {"firings": firings, "ddp": rows, "regions": len(report["regions"])}


def differences(real, said):
    if "error" in said:
        return [said["error"]]
    found = []
    if "error" not in real["firings"] and real["firings"] != said["firings"]:
        wrong = [name for name in real["firings"] if real["firings"][name] != said["firings"].get(name)]
        found.append(
            f"firings of {len(wrong)} parameters, such as {wrong[0]}: "
            f"{said['firings'].get(wrong[0])} instead of {real['firings'][wrong[0]]}"
        )
    for flags, row in real["ddp"].items():
        wrong = [key for key in row if row[key] != said["ddp"][flags][key]]
        if wrong:
            key = wrong[0]
            found.append(f"{flags}: {key} {shown(said['ddp'][flags][key])} instead of {shown(row[key])}")
    return found


def shown(value):
    if isinstance(value, list):
        return f"{len(value)} parameters" + (f" ({value[0]}, ...)" if value else "")
    return str(value)


def in_short(row):
    extra = [f"{len(row[key])} {key}" for key in ("not averaged", "not trained") if row[key]]
    return ", ".join([row["outcome"].replace("_", " "), *extra])


def table(names, measured, said):
    lines = [
        "| model | | checkpointing | regions | DDP's defaults | find_unused_parameters | static_graph | export | record |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    from models import CASES

    for name in names:
        for kind in CASES[name].kinds:
            key = f"{name}|{kind}"
            ways = [
                "equal" if not differences(measured[key], said[key][way]) else "**differs**" for way in ("export", "record")
            ]
            rows = [in_short(measured[key]["ddp"][flags]) for flags in FLAGS]
            regions = said[key]["record"].get("regions", "?")
            lines.append("| " + " | ".join([name, CASES[name].what, kind, str(regions), *rows, *ways]) + " |")
    return lines


def all_differences(names, measured, said):
    return [
        f"- {key.replace('|', ', ')}, {way}: {difference}"
        for key in measured
        for way in ("export", "record")
        for difference in differences(measured[key], said[key][way])
    ]


def versions():
    from importlib.metadata import version

    libraries = ("torch", "transformers", "timm", "peft", "mmcv-lite")
    return ", ".join(f"{library} {version(library).split('+')[0]}" for library in libraries)


def main(out=None, *names):
    from models import CASES

    names = [name for name in CASES if not names or any(wanted in name for wanted in names)]
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(measure, (f"{folder}/store", f"{folder}/measured.json", names), RANKS)
        measured = json.loads(Path(f"{folder}/measured.json").read_text())
        said = {}
        for key in measured:
            name, kind = key.split("|")
            said[key] = {way: gradscan_says(CASES[name], kind, way, folder) for way in ("export", "record")}
    wrong = all_differences(names, measured, said)
    rows = 2 * sum(len(entry["ddp"]) for entry in measured.values())
    text = "\n".join(
        [
            "# Real models",
            "",
            "Models of well-known libraries, small and with random weights: what the real DistributedDataParallel does with "
            "them (two ranks, gloo, CPU, four iterations), and whether gradscan says the same of what `gradscan.export` and "
            "`gradscan.record` write. *equal*: every parameter's firings, the outcome, the iteration of an error, the "
            "parameters that it names, and those that are not averaged or not trained. Only what is not equal is listed below "
            "the table.",
            "",
            f"Made by `python/real_models/compare.py` with {versions()}. {len(names)} models, {rows} rows compared, "
            f"{len(wrong)} differences.",
            "",
            *table(names, measured, said),
            "",
            *(["## Differences", "", *wrong, ""] if wrong else []),
        ]
    )
    Path(out).write_text(text) if out else print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
