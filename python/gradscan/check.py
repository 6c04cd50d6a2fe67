"""check(): the report on a model as an object, for use in tests.

def test_ddp_takes_the_model():
    report = gradscan.check(make_model(), (make_batch(),), find_unused_parameters=True)
    assert report.ok, report.text
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import torch

from gradscan.ddp import unwrap
from gradscan.inputs import as_arguments
from gradscan.loss import Loss
from gradscan.program import find_program, no_gradscan, run_program
from gradscan.record import capture, require_capture_name, save_capture
from gradscan.report import Report
from gradscan.temporary import temporary_folder


def check(
    model: torch.nn.Module,
    args: Any,
    *,
    kwargs: dict[str, Any] | None = None,
    loss: Loss | None = None,
    find_unused_parameters: bool = False,
    static_graph: bool = False,
    bucket_cap_mb: float | None = None,
    iterations: int = 4,
    verify: bool = True,
    options: tuple[str, ...] = (),
    program: str | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Report:
    """Records the model (see `record`) and runs the command line tool on the capture.

    options: further options of the tool, such as ("--checkpointing", "non-reentrant").
    program: the path of the tool. By default the environment variable GRADSCAN, else `gradscan` on PATH.
    keep: where to keep the capture, for further runs of the tool; its name must end in ".capture.json".

    Raises Error if there is no such program, or if it reaches no verdict.

    >>> report = gradscan.check(model, (images,))
    >>> report.ok, report.verdict().outcome, report.parameters["head.weight"].firings["reentrant"]
    (True, 'pass', 1)
    """
    found = find_program(program)
    if keep is not None:
        require_capture_name(keep)
    flags = {"find_unused_parameters": find_unused_parameters, "static_graph": static_graph, "bucket_cap_mb": bucket_cap_mb}
    recorded = capture(model, as_arguments(args), kwargs or {}, loss, flags, iterations, verify)
    with temporary_folder() as folder:
        file = os.path.join(folder, f"{_file_name(unwrap(model, flags)[0])}.capture.json") if keep is None else os.fspath(keep)
        save_capture(recorded, file)
        written = os.path.join(folder, "report.json")
        text = run_program(found, [*options, "--color", "never", "--output", written, file])
        return Report(_read(written, found), text)


def _file_name(model: torch.nn.Module) -> str:
    """The class's name, made fit for a file name, because the report begins with it."""
    return re.sub(r"[^\w.-]", "_", type(model).__name__)[:50]


def _read(file: str, program: str) -> dict[str, Any]:
    try:
        with open(file, encoding="utf-8") as report:
            data = json.load(report)
    except (OSError, ValueError) as error:
        raise no_gradscan(program) from error
    if not isinstance(data, dict) or data.get("schema") != "gradscan-report/1":
        raise no_gradscan(program)
    return data
