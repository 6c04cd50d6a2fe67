"""Makes TorchScript files of the models in training of tests/truth/cases.py, for tests/run/truth_test.cpp.

    python3 tests/models/make_truth_models.py FOLDER

files.json has, for each case, the files that its forward calls play in turn, and the outputs that its loss takes, if not all.
Regions are marked as reentrant. Cases that differ in nothing but the step around forward share their files.
"""
import json
import sys
from contextlib import contextmanager
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "truth"), str(Path(__file__).resolve().parents[2] / "examples")]
from cases import CASES, ROWS, WIDTH, Fields, Unknown, mean_square_of_first  # noqa: E402
from gradscan_markers import Regions, gradscan_requires_grad  # noqa: E402


@contextmanager
def marked_requires_grad():
    """Within, a trace keeps tensor.requires_grad_()."""
    original = torch.Tensor.requires_grad_
    torch.Tensor.requires_grad_ = lambda tensor: gradscan_requires_grad(original(tensor))
    try:
        yield
    finally:
        torch.Tensor.requires_grad_ = original


def outputs_of(result):
    """What gradscan.json says of each tensor of the result."""
    if isinstance(result, tuple):
        members = [(f"[{index}]", member) for index, member in enumerate(result)]
    else:
        members = [("", result)]
    return [{"path": "output" + path + ("" if isinstance(member, torch.Tensor) else ".tensor"),
             "found_by_ddp": not isinstance(member, Unknown), "behind_sink": isinstance(member, torch.Tensor),
             "direct": isinstance(member, torch.Tensor)} for path, member in members]


def tensors_only(result):
    if isinstance(result, tuple):
        return tuple(tensors_only(member) for member in result)
    return result.tensor if isinstance(result, (Unknown, Fields)) else result


def write(path, case, calls):
    """The graph of the forward call that has so many before it."""
    regions = Regions()
    model = case.model(lambda function, *args: regions.checkpoint(function, *args, name=type(function).__name__))
    x = torch.rand(ROWS, WIDTH).requires_grad_(case.input_requires_grad)
    model.calls = calls
    outputs = outputs_of(model(x))
    model.calls, forward = calls, model.forward
    model.forward = lambda x: tensors_only(forward(x))
    with marked_requires_grad():
        file = torch.jit.trace(model, x, check_trace=False)
    data = {"name": "x", "dtype": "float32", "shape": [ROWS, WIDTH], "requires_grad": case.input_requires_grad}
    exported = {"schema": "gradscan-export/1", "torch": torch.__version__, "inputs": [data], "outputs": outputs,
                "parameters": [name for name, _ in model.named_parameters()]}
    torch.jit.save(file, str(path), _extra_files={"gradscan.json": json.dumps(exported)})


def period(case):
    """After how many forward calls the model repeats itself."""
    model = case.model(lambda function, *args: function(*args))
    model(torch.rand(ROWS, WIDTH))
    return model.period if getattr(model, "calls", 0) else 1


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    files, written = {}, {}
    for name, case in CASES.items():
        key = case.model, case.input_requires_grad
        if key not in written:
            written[key] = [f"{name}.{calls}.pt" for calls in range(period(case))]
            for calls, file in enumerate(written[key]):
                write(folder / file, case, calls)
        files[name] = {"files": written[key], "loss": ["output[0]"] if case.loss is mean_square_of_first else []}
    (folder / "files.json").write_text(json.dumps(files, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
