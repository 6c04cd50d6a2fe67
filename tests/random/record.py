"""Writes captures as lines of JSON ask for: python3 record.py

A question has a "source", the "file" to write, further "arguments" of gradscan.record, and whether to guess the loss
("guess_loss"). The answer has the "error", empty if there is none. A process of its own, because a backward may never end.
"""
from __future__ import annotations

import gc
import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

from measure import load, new_model
from measure_report import seed

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import gradscan  # noqa: E402

MEMORY = 3 << 30  # bytes


def answer(question: dict[str, Any]) -> dict[str, Any]:
    module = load(question["source"])
    loss = None if question["guess_loss"] else lambda output: module.loss(output, 0)
    try:
        model, _ = new_model(module)
        inputs = module.inputs(0, 0)
        seed(0)
        gradscan.record(model, inputs, question["file"], loss=loss, **question["arguments"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"error": ""}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    gc.freeze()  # record collects garbage often
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
