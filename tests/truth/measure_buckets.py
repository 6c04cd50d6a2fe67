"""Measures in which buckets the real DistributedDataParallel (2 ranks, gloo, CPU) reduces gradients of mixed sizes and dtypes.

    python3 tests/truth/measure_buckets.py [CASE...]      (minutes; writes tests/truth/bucket_layouts.json, or prints the cases')

The models are those of bucket_cases.txt. Each is trained for four iterations with every kind of checkpointing, each of DDP's
flags, several bucket_cap_mb, and with and without gradient_as_bucket_view. A row:
  case, checkpointing, flags, bucket_cap_mb     null: the argument is left alone
  buckets                                       indices of the parameters in each bucket, in the order of reduction
The buckets are those that DDP has in the end: rebuilt, in the order of arrival, after the first iteration that all gradients
arrived in, or those that it was made with. DDP's own log has their sizes in bytes; this checks that they are the same.
"checkpointing" lists the kinds with which the layout is this one. gradient_as_bucket_view has never made a difference; if it
does, this stops.
"""
import itertools
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["GLOO_SOCKET_IFNAME"] = "lo"
warnings.filterwarnings("ignore")

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from text_model import TextModel, read_cases

RANKS, ITERATIONS = 2, 4
CHECKPOINTING = {"reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=True),
                 "non_reentrant": lambda function, *args: checkpoint(function, *args, use_reentrant=False),
                 "off": lambda function, *args: function(*args)}
FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True}}
CAPS = (None, 0.0001, 0.5, 1, 25, 100)
HERE = Path(__file__).parent


class ToldBuckets:
    """DDP's Reducer says only after a rebuild what is in its buckets: this notes what it was made with."""

    def __init__(self):
        self.buckets = None
        self.reducer = dist.Reducer

    def __call__(self, parameters, buckets, *args):
        self.buckets = buckets
        return self.reducer(parameters, buckets, *args)


def numbers(text):
    return [int(number) for number in text.replace(",", " ").split()]


def layout(ddp, told):
    ddp.logger.set_runtime_stats_and_log()
    log = ddp._get_ddp_logging_data()
    rebuilt = log.get("has_rebuilt_buckets") == 1
    buckets = [numbers(bucket) for bucket in log["rebuilt_per_bucket_param_indices"].split(",")] if rebuilt else told
    parameters = [parameter for parameter in ddp.module.parameters() if parameter.requires_grad]
    sizes = [sum(parameters[index].nbytes for index in bucket) for bucket in buckets]
    assert sizes == numbers(log["rebuilt_bucket_sizes" if rebuilt else "bucket_sizes"]), (sizes, log)
    return buckets


def measure(lines, kind, flags, cap, view):
    torch.manual_seed(0)
    model = TextModel(lines, CHECKPOINTING[kind])
    told = dist.Reducer = ToldBuckets()
    try:
        ddp = DistributedDataParallel(model, bucket_cap_mb=cap, gradient_as_bucket_view=view, **FLAGS[flags])
    finally:
        dist.Reducer = told.reducer
    try:
        for _ in range(ITERATIONS):
            ddp.zero_grad(set_to_none=True)
            model.loss(ddp(model.new_input())).backward()
    except RuntimeError as error:
        if not any(words in str(error) for words in ("ready only once", "Expected to have finished", "graph has changed")):
            raise
    return layout(ddp, told.buckets)


def measure_case(name, lines):
    rows = []
    kinds = list(CHECKPOINTING) if any(words[0] == "region" for words in lines) else ["off"]
    for flags, cap in itertools.product(FLAGS, CAPS):
        by_layout = {}
        for kind in kinds:
            buckets, viewed = (measure(lines, kind, flags, cap, view) for view in (False, True))
            assert buckets == viewed, "gradient_as_bucket_view makes a difference"
            by_layout.setdefault(json.dumps(buckets), []).append(kind)
        rows += [{"case": name, "checkpointing": kinds, "flags": flags, "bucket_cap_mb": cap, "buckets": json.loads(buckets)}
                 for buckets, kinds in by_layout.items()]
    return rows


def work(rank, store, cases, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    rows = []
    for name, lines in cases.items():
        rows += measure_case(name, lines)
        dist.barrier()
    if rank == 0:
        Path(out).write_text(to_text(rows))
    dist.destroy_process_group()


def to_text(rows):
    head = {"torch": torch.__version__.split("+")[0], "ranks": RANKS, "iterations": ITERATIONS, "backend": "gloo"}
    return (f'{{"measured_with": {json.dumps(head)},\n "rows": [\n  '
            + ",\n  ".join(json.dumps(row) for row in rows) + "]}\n")


if __name__ == "__main__":
    cases = read_cases(HERE / "bucket_cases.txt")
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/rows.json" if wanted else str(HERE / "bucket_layouts.json")
        mp.spawn(work, (f"{folder}/store", {name: cases[name] for name in wanted or cases}, out), RANKS)
        if wanted:
            print(Path(out).read_text(), end="")
