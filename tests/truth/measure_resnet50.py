"""Measures what the real DistributedDataParallel (2 ranks, gloo, CPU) does with the ResNet-50 of examples/make_resnet50.py.

    python3 tests/truth/measure_resnet50.py [OUT.json]        (some minutes; writes tests/truth/resnet50_ddp.json)

One row for each kind of checkpointing and each of DDP's flags:
  outcome         pass | marked_ready_twice | unfinished_reduction | graph_changed | other
  iteration       the iteration (from 0) in which the error is raised; null for pass
  message         the error's whole text; empty for pass
  parameters      those that the message names, [[index, name], ...]
  unsynchronised  indices of the parameters whose gradients differ between the ranks after an iteration that finished
  untrained       indices of those that never get a gradient other than zero
  bucket_bytes    sizes of the buckets of the all-reduce after the first iteration, of a setup that passes
and, for each kind, without DDP: `firings`: how often each parameter's gradient-accumulation hook runs in one backward;
`in_outer_graph`: whether a walk of the autograd graph after forward meets the parameter.
The network and its checkpointing are those of the example, the checkpoint function is torch's own.
"""
import json
import os
import re
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

os.environ["TORCH_DISTRIBUTED_DEBUG"] = "INFO"  # messages with names
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
warnings.filterwarnings("ignore")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from make_resnet50 import ResNet50, no_checkpoint

RANKS = 2
ITERATIONS = 4
IMAGES = (2, 3, 64, 64)  # small: what is measured does not depend on the size


def torch_checkpoint(function, x, use_reentrant, **_):
    return checkpoint(function, x, use_reentrant=use_reentrant)


CHECKPOINTING = {"reentrant": partial(torch_checkpoint, use_reentrant=True),
                 "non_reentrant": partial(torch_checkpoint, use_reentrant=False),
                 "off": no_checkpoint}
FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True}}


def new_model(kind):
    torch.manual_seed(0)
    return ResNet50(CHECKPOINTING[kind]).train()


def backward(model, images):
    model(images).square().mean().backward()


def firings(kind, images):
    model, nodes = new_model(kind), []
    counts = {name: 0 for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        node = parameter.view_as(parameter).grad_fn.next_functions[0][0]
        node.register_hook(lambda *_, name=name: counts.update({name: counts[name] + 1}))
        nodes.append(node)  # keeps the hook alive
    backward(model, images)
    return list(counts.values())


def in_outer_graph(kind, images):
    model, met = new_model(kind), set()
    waiting = [model(images).grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in met:
            met.add(node)
            waiting += [next_node for next_node, _ in node.next_functions]
    parameters = {node.variable for node in met if hasattr(node, "variable")}
    return [parameter in parameters for parameter in model.parameters()]


def gradients_of_ranks(parameter):
    own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach()
    gradients = [torch.empty_like(own) for _ in range(RANKS)]
    dist.all_gather(gradients, own.contiguous())
    return gradients


def outcome_of(message):
    for text, outcome in (("mark a variable ready only once", "marked_ready_twice"),
                          ("Expected to have finished reduction", "unfinished_reduction"),
                          ("training graph has changed", "graph_changed")):
        if text in message:
            return outcome
    return "other"


def named_parameters(message):
    return [[int(index), name] for index, name in re.findall(r"Parameter at index (\d+) with name (\S+)", message)]


def measure(kind, flags, images):
    model = DistributedDataParallel(new_model(kind), **FLAGS[flags])
    differ, trained = set(), set()
    row = {"checkpointing": kind, "flags": flags, "outcome": "pass", "iteration": None, "message": "", "parameters": []}
    for iteration in range(ITERATIONS):
        model.zero_grad(set_to_none=True)
        try:
            backward(model, images)
        except RuntimeError as error:
            message = str(error)
            row.update(outcome=outcome_of(message), iteration=iteration, message=message,
                       parameters=named_parameters(message))
            break
        for index, parameter in enumerate(model.parameters()):
            gradients = gradients_of_ranks(parameter)
            if not torch.equal(*gradients):
                differ.add(index)
            if any(gradient.any() for gradient in gradients):
                trained.add(index)
    passed = row["outcome"] == "pass"
    row["unsynchronised"] = sorted(differ)
    row["untrained"] = sorted(set(range(len(list(model.parameters())))) - trained) if passed else []
    row["bucket_bytes"] = bucket_bytes(model) if passed else []
    return row


def bucket_bytes(model):
    """From DDP's own log. It does not rebuild its buckets if it searches for unused parameters."""
    log = model._get_ddp_logging_data()
    return [int(size) for size in (log.get("rebuilt_bucket_sizes") or log["bucket_sizes"]).split(",")]


def work(rank, store, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    torch.manual_seed(100 + rank)
    images = torch.rand(IMAGES)
    rows = [measure(kind, flags, images) for kind in CHECKPOINTING for flags in FLAGS]
    if rank == 0:
        head = {"torch": torch.__version__.split("+")[0], "ranks": RANKS, "iterations": ITERATIONS, "backend": "gloo"}
        parameters = [name for name, _ in new_model("off").named_parameters()]
        by_kind = {"firings": {kind: firings(kind, images) for kind in CHECKPOINTING},
                   "in_outer_graph": {kind: in_outer_graph(kind, images) for kind in CHECKPOINTING}}
        write(out, head, parameters, by_kind, rows)
    dist.barrier()
    dist.destroy_process_group()


def write(out, head, parameters, by_kind, rows):
    sections = [f'"measured_with": {json.dumps(head)}', f'"parameters": {json.dumps(parameters)}']
    for name, kinds in by_kind.items():
        lines = [f'  "{kind}": {json.dumps(values)}' for kind, values in kinds.items()]
        sections.append(f'"{name}": {{\n' + ",\n".join(lines) + "}")
    sections.append('"rows": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "]")
    Path(out).write_text("{" + ",\n".join(sections) + "}\n")


if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("resnet50_ddp.json")
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (f"{folder}/store", str(out)), RANKS)
