"""One of two ranks that train models under the real DistributedDataParallel: python3 measure.py RANK STORE_FILE

Reads questions as lines of JSON and answers each with a line. A question has the "sources" to measure, by kind of checkpointing
(see source.py), and further arguments of "ddp"; the answer has, by kind, "alone" (one iteration without DDP) and, by
"kind/flags", "rows": four iterations with it.
"""
import datetime
import itertools
import json
import os
import resource
import sys
import types
import warnings
from typing import Any

os.environ["TORCH_DISTRIBUTED_DEBUG"] = "INFO"  # messages with names
os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
warnings.filterwarnings("ignore")

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

ITERATIONS = 4
FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True}}
MEMORY = 8 << 30  # bytes; a backward that never ends starts threads without end
TIMEOUT = datetime.timedelta(seconds=20)


class Hooks:
    """Counts how often each parameter's gradient-accumulation hook runs."""

    def __init__(self, parameters: list[torch.nn.Parameter]) -> None:
        self.counts = [0] * len(parameters)
        self.nodes = [parameter.expand_as(parameter).grad_fn.next_functions[0][0] for parameter in parameters]
        for at, node in enumerate(self.nodes):
            node.register_hook(lambda *_, at=at: self.count(at))

    def count(self, at: int) -> None:
        self.counts[at] += 1

    def take(self) -> list[int]:
        counts, self.counts = self.counts, [0] * len(self.counts)
        return counts


def load(source: str) -> types.ModuleType:
    module = types.ModuleType("random_model")
    sys.modules[module.__name__] = module  # dataclasses look for it there
    exec(source, module.__dict__)
    return module


def new_model(module: types.ModuleType) -> tuple[torch.nn.Module, list[torch.nn.Parameter]]:
    torch.manual_seed(0)
    model = module.Model().train()
    return model, [parameter for parameter in model.parameters() if parameter.requires_grad]


def signature(gradient: torch.Tensor | None) -> int:
    """The same for the same numbers; 0 for none and for zeros."""
    return 0 if gradient is None or not gradient.any() else hash(tuple(gradient.flatten().tolist()))


def train_alone(module: types.ModuleType, rank: int) -> dict[str, Any]:
    model, parameters = new_model(module)
    hooks, message = Hooks(parameters), ""
    try:
        module.train(model, rank, itertools.count())
    except Exception as error:
        message = str(error)
    return {"firings": hooks.take(), "message": message}


def train_with_ddp(module: types.ModuleType, rank: int, arguments: dict[str, Any]) -> dict[str, Any]:
    model, parameters = new_model(module)
    hooks, calls = Hooks(parameters), itertools.count()
    row = {"iteration": None, "message": "", "firings": [], "gradients": []}
    try:
        ddp = DistributedDataParallel(model, **arguments)
        for row["iteration"] in range(ITERATIONS):
            module.train(ddp, rank, calls)
            row["firings"].append(hooks.take())
            row["gradients"].append([signature(parameter.grad) for parameter in parameters])
        row["iteration"] = None
    except Exception as error:
        row["message"] = str(error)
    return row


def answer(question: dict[str, Any], rank: int) -> dict[str, Any]:
    alone, rows = {}, {}
    for kind, source in question["sources"].items():
        module = load(source)
        alone[kind] = train_alone(module, rank)
        for flags, arguments in FLAGS.items():
            rows[f"{kind}/{flags}"] = train_with_ddp(module, rank, {**arguments, **question["ddp"]})
            dist.barrier()
    return {"alone": alone, "rows": rows}


def main(rank: int, store: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=TIMEOUT)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), rank)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
