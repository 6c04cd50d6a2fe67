"""Measures what the real DistributedDataParallel (2 ranks, gloo, CPU) does with each of cases.py.

    python3 tests/truth/measure.py [CASE...]        (some minutes; writes tests/truth/ddp_rows.json, or prints the cases' rows)

Every case is measured with each kind of checkpointing, each of DDP's flags, zero_grad(set_to_none=...) both ways and with and
without gradient_as_bucket_view, four iterations each or more; and all of it three times, from other seeds. What is not the same each
time is no row: it goes to "not_deterministic", with all that was seen.

A row:
  case, checkpointing, flags
  options         with which of OPTIONS this is so; missing: with all
  bucket_cap_mb   if it is not that of "measured_with"
  outcome         pass | marked_ready_twice | unfinished_reduction | graph_changed | other
  iteration       the iteration (from 0) in which the error is raised; null for pass
  message         number, in "messages", of the error's whole text; the first one is empty, for pass
  parameters      those that the message names, [[index, name], ...]
  unsynchronised  of each parameter whose gradients differ between the ranks: after which iterations, as soon as all
                  all-reduces that backward has begun have ended
  untrained       parameters that never get a gradient other than zero; for pass
"firings" has, for each case and kind, how often each parameter's gradient-accumulation hook runs in one iteration without DDP,
up to the error, if there is one.
"""
import itertools
import json
import os
import re
import sys
import tempfile
import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path

os.environ["TORCH_DISTRIBUTED_DEBUG"] = "INFO"  # messages with names
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
warnings.filterwarnings("ignore")

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from cases import BUCKET_CAP_MB, CASES, ROWS, WIDTH

RANKS, ITERATIONS = 2, 4  # of a case with a longer period: that and one more, which is told what the last one has lacked
SEEDS = (0, 1, 2)
TIMEOUT = timedelta(seconds=60)


def no_checkpoint(function, *args):
    return function(*args)


def torch_checkpoint(use_reentrant, function, *args):
    return checkpoint(function, *args, use_reentrant=use_reentrant)


CHECKPOINTING = {"reentrant": partial(torch_checkpoint, True), "non_reentrant": partial(torch_checkpoint, False),
                 "off": no_checkpoint}
FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True},
         "find_unused_parameters+static_graph": {"find_unused_parameters": True, "static_graph": True}}
# name -> zero_grad's set_to_none, gradient_as_bucket_view
OPTIONS = {"": (True, False), "set_to_none=False": (False, False), "gradient_as_bucket_view=True": (True, True),
           "set_to_none=False, gradient_as_bucket_view=True": (False, True)}


def new_model(case, kind):
    return case.model(CHECKPOINTING[kind])


def named_trainable(model):
    ignored = [name.removeprefix(".") for name in getattr(model, "_ddp_params_and_buffers_to_ignore", ())]
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad and name not in ignored}


def input_for(case, data):
    return data.clone().requires_grad_(case.input_requires_grad)


def measure_firings(case, kind, data):
    model, nodes = new_model(case, kind), []
    counts = {name: 0 for name in named_trainable(model)}
    for name, parameter in named_trainable(model).items():
        node = parameter.expand_as(parameter).grad_fn.next_functions[0][0]
        node.register_hook(lambda *_, name=name: counts.update({name: counts[name] + 1}))
        nodes.append(node)  # keeps the hook alive
    message = ""
    try:
        case.train(model, input_for(case, data), CHECKPOINTING[kind])
    except Exception as error:
        message = str(error)
    return {"firings": list(counts.values()), "message": message}


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


def indices_in(message):
    one = re.search(r"Parameter at index (\d+)", message)
    many = re.search(r"indices which did not receive grad[^:]*:((?: \d+)+)", message)
    return [int(one.group(1))] if one else [int(index) for index in many.group(1).split()] if many else []


def measure(case, kind, flags, options, data, scale):
    """`scale`: this rank's; it makes gradients that depend on no data differ, too, until they are averaged."""
    set_to_none, bucket_view = OPTIONS[options]
    model = new_model(case, kind)
    parameters = named_trainable(model)
    names = list(parameters)
    differ, trained = {}, set()
    row = {"outcome": "pass", "iteration": None, "message": "", "parameters": []}
    ddp = DistributedDataParallel(model, bucket_cap_mb=case.bucket_cap_mb, gradient_as_bucket_view=bucket_view, **FLAGS[flags])
    for iteration in range(max(ITERATIONS, getattr(model, "period", 1) + 1)):
        try:
            ddp.zero_grad(set_to_none=set_to_none)
            case.train(ddp, input_for(case, data), CHECKPOINTING[kind], scale)
        except Exception as error:
            message = str(error)
            row.update(outcome=outcome_of(message), iteration=iteration, message=message,
                       parameters=[[index, names[index]] for index in indices_in(message)])
            break
        dist.barrier()  # waits for those of this rank
        for name, parameter in parameters.items():
            gradients = gradients_of_ranks(parameter)
            if not torch.equal(*gradients):
                differ.setdefault(name, []).append(iteration)
            if any(gradient.any() for gradient in gradients):
                trained.add(name)
    row["unsynchronised"] = {name: differ[name] for name in names if name in differ}
    row["untrained"] = [name for name in names if name not in trained] if row["outcome"] == "pass" else []
    return row


def measure_all(cases, seed, rank):
    """What was seen, by what was measured."""
    seen = {}
    for name in cases:
        case = CASES[name]
        for kind in case.kinds:
            torch.manual_seed(100 * seed + rank)
            data = torch.rand(ROWS, WIDTH)
            torch.manual_seed(seed)
            seen[name, kind] = measure_firings(case, kind, data)
            for flags, options in itertools.product(FLAGS, OPTIONS):
                torch.manual_seed(seed)
                seen[name, kind, flags, options] = measure(case, kind, flags, options, data, 1 + rank)
                dist.barrier()
    return seen


def work(rank, store, cases, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS, timeout=TIMEOUT)
    seen = [measure_all(cases, seed, rank) for seed in SEEDS]
    if rank == 0:
        torch.save(seen, out)
    dist.barrier()
    dist.destroy_process_group()


class Messages:
    """Long texts by number."""

    def __init__(self):
        self.texts = [""]

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def in_numbers(self, measured):
        return {**measured, "message": self.number(measured["message"])}


def firings_of(seen, messages):
    return [{"case": name, "checkpointing": kind, **messages.in_numbers(measured)}
            for (name, kind, *setup), measured in seen[0].items() if not setup]


def rows_of(seen, messages):
    """Those that are the same each time, one for all options with which the same was seen; and the others."""
    rows, others = {}, []
    for name, kind, *setup in seen[0]:
        if not setup:
            continue
        flags, options = setup
        results = [messages.in_numbers(again[name, kind, flags, options]) for again in seen]
        if results.count(results[0]) == len(results):
            rows.setdefault((name, kind, flags, json.dumps(results[0])), []).append(options)
        else:
            others.append({"case": name, "checkpointing": kind, "flags": flags, "options": [options], "seen": results})
    return [in_row(*head, options, json.loads(result)) for (*head, result), options in rows.items()], others


def in_row(name, kind, flags, options, result):
    row = {"case": name, "checkpointing": kind, "flags": flags}
    if len(options) < len(OPTIONS):
        row["options"] = options
    if CASES[name].bucket_cap_mb != BUCKET_CAP_MB:
        row["bucket_cap_mb"] = CASES[name].bucket_cap_mb
    return {**row, **result}


def written(seen):
    messages = Messages()
    firings, (rows, others) = firings_of(seen, messages), rows_of(seen, messages)
    head = {"torch": torch.__version__.split("+")[0], "ranks": RANKS, "iterations": ITERATIONS, "backend": "gloo",
            "bucket_cap_mb": BUCKET_CAP_MB}
    sections = {"messages": messages.texts, "firings": firings, "rows": rows, "not_deterministic": others}
    lists = [f'"{name}": [\n' + ",\n".join("  " + json.dumps(line) for line in lines) + "\n]"
             for name, lines in sections.items()]
    return "{" + ",\n".join([f'"measured_with": {json.dumps(head)}', *lists]) + "}\n"


if __name__ == "__main__":
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (f"{folder}/store", wanted or list(CASES), f"{folder}/seen"), RANKS)
        text = written(torch.load(f"{folder}/seen"))
    if wanted:
        print(text, end="")
    else:
        Path(__file__).with_name("ddp_rows.json").write_text(text)
