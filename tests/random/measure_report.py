"""One of two ranks that train models as a report says: python3 measure_report.py RANK STORE_FILE

Reads questions as lines of JSON and answers each with a line. A question has the "sources" to measure, by kind of checkpointing;
"rows", each with a "kind", arguments of DistributedDataParallel ("ddp"), the number of "iterations" and a "seed". The answer has
for each row the "message" of the exception and its "iteration", and the parameters whose gradients were "wrong" in an iteration, the
first such: not the mean, over the ranks, of those that the same forward yields without checkpointing and without DDP.
"""
from __future__ import annotations

import json
import random
import resource
import sys
from typing import Any

from measure import MEMORY, TIMEOUT, load, new_model

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

Gradients = list[torch.Tensor]


class Calls:
    """Numbers of the forward calls, which determine the inputs."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def __next__(self) -> int:
        self.number += 1
        return self.number - 1


class Reference:
    """The model without checkpointing."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.known: dict[Any, Gradients | None] = {}

    def gradients(self, model: torch.nn.Module, first: int) -> Gradients | None:
        """The mean over the ranks, from the state in which `model` is; None if that fails."""
        state, chance = state_of(model), (random.getstate(), torch.get_rng_state())
        key = first, tuple(state.items()), chance[0], tuple(chance[1].tolist())
        if key not in self.known:
            self.known[key] = self.mean(state, chance, first)
        return self.known[key]

    def mean(self, state: dict[str, Any], chance: tuple[Any, Any], first: int) -> Gradients | None:
        try:
            both = [self.of_rank(rank, state, chance, first) for rank in (0, 1)]
            return [(left + right) / 2 for left, right in zip(*both)]
        except Exception:
            return None
        finally:
            restore(chance)

    def of_rank(self, rank: int, state: dict[str, Any], chance: tuple[Any, Any], first: int) -> Gradients:
        module = load(self.source)
        model, parameters = new_model(module)
        vars(model).update(state)
        restore(chance)
        module.train(model, rank, Calls(first))
        return filled(parameters)


def state_of(model: torch.nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(model).items() if name in ("count", "ended")}


def restore(chance: tuple[Any, Any]) -> None:
    random.setstate(chance[0])
    torch.set_rng_state(chance[1])


def filled(parameters: list[torch.nn.Parameter]) -> Gradients:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]


def differing(found: Gradients, expected: Gradients) -> list[int]:
    """The parameters of which they differ, on any rank."""
    is_wrong = torch.tensor([not torch.allclose(a, b, rtol=1e-6, atol=1e-9 * (1 + b.abs().max().item()))
                             for a, b in zip(found, expected)], dtype=torch.int)
    dist.all_reduce(is_wrong)
    return is_wrong.nonzero().flatten().tolist()


def train(source: str, reference: Reference, asked: dict[str, Any], rank: int) -> dict[str, Any]:
    row: dict[str, Any] = {"message": "", "iteration": None, "wrong": [], "wrong_in": None, "unknown": False}
    calls = Calls()
    try:
        module = load(source)
        model, parameters = new_model(module)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        seed(asked["seed"])
        ddp = DistributedDataParallel(model, **asked["ddp"])
        for row["iteration"] in range(asked["iterations"]):
            expected = reference.gradients(model, calls.number)
            row["unknown"] |= expected is None
            module.train(ddp, rank, calls)
            if expected is not None and not row["wrong"] and (wrong := differing(filled(parameters), expected)):
                row["wrong"], row["wrong_in"] = [names[id(parameters[at])] for at in wrong], row["iteration"]
        row["iteration"] = None
    except Exception as error:
        row["message"] = f"{type(error).__name__}: {error}"
    return row


def seed(number: int) -> None:
    random.seed(number)
    torch.manual_seed(number)


def answer(question: dict[str, Any], rank: int) -> dict[str, Any]:
    rows, reference = [], Reference(question["sources"]["off"])
    for asked in question["rows"]:
        rows.append(train(question["sources"][asked["kind"]], reference, asked, rank))
        dist.barrier()
    return {"rows": rows}


def main(rank: int, store: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # rounding is no difference
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=TIMEOUT)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), rank)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
