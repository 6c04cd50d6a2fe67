"""Measures what torch and the real DistributedDataParallel (2 ranks, gloo, CPU) do with the models of closure_cases.txt.

    python3 tests/truth/measure_closures.py [CASE...]      (minutes; writes tests/truth/closure_rows.json, or prints the cases')

It has the form of ddp_rows.json (see measure.py), and a list more, "gradients": the parameters whose gradient is not the one that
they have without checkpointing, although one backward without DDP passes. If the ranks agree on a gradient that is not the
average of what each has alone, this stops: it was never seen.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import measure
from text_model import TextModel, read_cases

HERE = Path(__file__).parent
SEEDS = (0, 1)


class TextCase:
    kinds = list(measure.CHECKPOINTING)
    input_requires_grad = True

    def __init__(self, lines):
        self.lines = lines
        self.made = None  # the model that was made last

    def model(self, checkpoint):
        self.made = TextModel(self.lines, checkpoint)
        return self.made

    def train(self, model, x, checkpoint, scale=1):
        (self.made.loss(model((x,))) * scale).backward()

    def gradients(self):
        return {name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
                for name, parameter in measure.named_trainable(self.made).items()}


def unlike(gradients, expected):
    return [name for name in gradients if not torch.allclose(gradients[name], expected[name], rtol=1e-4, atol=1e-7)]


def alone(case, kind, seed, data, scale):
    torch.manual_seed(seed)
    model = measure.new_model(case, kind)
    try:
        case.train(model, data.clone().requires_grad_(), None, scale)
    except RuntimeError:
        return None
    return case.gradients()


def changed_by_checkpointing(case, kind, seed, data):
    gradients = alone(case, kind, seed, data, 1)
    return [] if gradients is None else unlike(gradients, alone(case, "off", seed, data, 1))


def measure_row(case, kind, flags, seed, data, rank):
    averaged = alone(case, kind, seed, data, 1 + rank)
    for gradient in (averaged or {}).values():
        dist.all_reduce(gradient)
        gradient /= measure.RANKS
    torch.manual_seed(seed)
    row = measure.measure(case, kind, flags, "", data, 1 + rank)
    if row["outcome"] == "pass":
        assert set(unlike(case.gradients(), averaged)) <= set(row["unsynchronised"]), row
    return row


def measure_all(cases, seed, rank):
    """What was seen, by what was measured."""
    seen = {}
    for name, lines in cases.items():
        case = TextCase(lines)
        torch.manual_seed(100 * seed + rank)
        data = torch.rand(8, 20)
        for kind in case.kinds:
            torch.manual_seed(seed)
            seen[name, kind] = measure.measure_firings(case, kind, data)
            seen[name, kind, "gradients", ""] = changed_by_checkpointing(case, kind, seed, data)
            for flags in measure.FLAGS:
                seen[name, kind, flags, ""] = measure_row(case, kind, flags, seed, data, rank)
                dist.barrier()
    return seen


def work(rank, store, cases, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=measure.RANKS,
                            timeout=measure.TIMEOUT)
    seen = [measure_all(cases, seed, rank) for seed in SEEDS]
    assert all(other == seen[0] for other in seen), "not the same with every seed"
    if rank == 0:
        Path(out).write_text(to_text(seen[0]))
    dist.barrier()
    dist.destroy_process_group()


def to_text(seen):
    messages = measure.Messages()
    head = {"torch": torch.__version__.split("+")[0], "ranks": measure.RANKS, "iterations": measure.ITERATIONS,
            "backend": "gloo", "bucket_cap_mb": measure.BUCKET_CAP_MB}
    changed = [{"case": name, "checkpointing": kind, "changed": names} for (name, kind, *what), names in seen.items()
               if what[:1] == ["gradients"] and names]
    rows = [{"case": name, "checkpointing": kind, "flags": flags[0], "options": [""], **messages.in_numbers(row)}
            for (name, kind, *flags), row in seen.items() if flags and flags[0] in measure.FLAGS]
    lists = {"firings": measure.firings_of([seen], messages), "rows": rows, "not_deterministic": [], "gradients": changed}
    lists = {"messages": messages.texts, **lists}
    parts = [f'"{name}": [\n  ' + ",\n  ".join(map(json.dumps, what)) + "]" for name, what in lists.items()]
    return "{" + ",\n".join([f'"measured_with": {json.dumps(head)}', *parts]) + "}\n"


if __name__ == "__main__":
    cases = read_cases(HERE / "closure_cases.txt")
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/rows.json" if wanted else str(HERE / "closure_rows.json")
        mp.spawn(work, (f"{folder}/store", {name: cases[name] for name in wanted or cases}, out), measure.RANKS)
        if wanted:
            print(Path(out).read_text(), end="")
