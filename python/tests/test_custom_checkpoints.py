"""Checkpoints that are custom autograd Functions: the report is what fires, and what the real DistributedDataParallel does."""

import gc
import json
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

import gradscan

FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}, "static_graph": {"static_graph": True}}
reentrant = partial(checkpoint, use_reentrant=True)
non_reentrant = partial(checkpoint, use_reentrant=False)


class Offload(torch.autograd.Function):
    """Like unsloth's."""

    @staticmethod
    def forward(ctx, function, x, *args):
        with torch.no_grad():
            output = function(x, *args)
        ctx.save_for_backward(x.to("cpu", non_blocking=True))
        ctx.function, ctx.args = function, args
        return output

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            output = ctx.function(x, *ctx.args)
        torch.autograd.backward(output, gradient)
        return (None, x.grad, *(None for _ in ctx.args))


class Traceable(Offload):
    """Only apply() itself disables grad for forward, which a trace does not."""

    @staticmethod
    def forward(ctx, function, x):
        ctx.save_for_backward(x)
        ctx.function, ctx.args = function, ()
        return function(x)


class TwoPasses(Offload):
    @staticmethod
    def backward(ctx, gradient):
        Offload.backward(ctx, gradient)
        return Offload.backward(ctx, gradient)


class Several(torch.autograd.Function):
    """Like DeepSpeed's: any arguments and outputs."""

    @staticmethod
    def forward(ctx, function, *args):
        ctx.function, ctx.args = function, args
        with torch.no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx, *gradients):
        args = [a.detach().requires_grad_(a.requires_grad) if torch.is_tensor(a) else a for a in ctx.args]
        with torch.enable_grad():
            outputs = ctx.function(*args)
        pairs = [(o, g) for o, g in zip(outputs, gradients, strict=True) if torch.is_tensor(o) and o.requires_grad]
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, *(a.grad if torch.is_tensor(a) else None for a in args))


class ByGrad(Offload):
    """Differentiates with torch.autograd.grad, which gives the parameters no gradient."""

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            output = ctx.function(x)
        return None, *torch.autograd.grad(output, x, gradient)


class WithDummy(torch.autograd.Function):
    """Like fairscale's: one argument requires grad so that backward runs even if no other one does. The inputs wait on the CPU,
    with their requires_grad flags."""

    @staticmethod
    def forward(ctx, dummy, function, module, keys, *args):
        tensors = [a for a in args if torch.is_tensor(a)]
        ctx.needed = [tensor.requires_grad for tensor in tensors]
        ctx.save_for_backward(*(tensor.to("cpu") for tensor in tensors))
        ctx.call = function, module, keys, args
        with torch.no_grad():
            return function(module, *arguments(keys, args))

    @staticmethod
    def backward(ctx, *gradients):
        function, module, keys, args = ctx.call
        waiting = zip(ctx.saved_tensors, ctx.needed, strict=True)
        tensors = iter([tensor.detach().requires_grad_(needed) for tensor, needed in waiting])
        args = [next(tensors) if torch.is_tensor(a) else a for a in args]
        with torch.enable_grad():
            outputs = function(module, *arguments(keys, args))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(o, g) for o, g in zip(outputs, gradients, strict=True) if o.requires_grad]
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, None, None, *(a.grad if torch.is_tensor(a) else None for a in args))


def arguments(keys, args):
    """The last arguments are those of these keywords."""
    first = len(args) - len(keys)
    return *args[:first], dict(zip(keys, args[first:], strict=True))


def with_dummy(function, module, *args, **kwargs):
    dummy = torch.tensor([], requires_grad=True)
    outputs = WithDummy.apply(dummy, function, module, tuple(kwargs), *args, *kwargs.values())
    needed = any(parameter.requires_grad for parameter in module.parameters()) or any(
        a.requires_grad for a in (*args, *kwargs.values()) if torch.is_tensor(a)
    )
    return outputs if needed or isinstance(outputs, tuple) else outputs.detach()


def called(module, x, kwargs):
    return module(x)


def called_twice(module, x, kwargs):
    return module(x) * kwargs["times"], module(kwargs["y"])


class Model(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.a, self.b, self.c, self.run = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), run

    def forward(self, x):
        return self.run(self, x)


def scaled(layer, x, times, y):
    return layer(x) * times, layer(y), times


def several(m, x):
    x = m.a(x)
    first, second, _ = Several.apply(partial(scaled, m.b), x, 2, x.sigmoid())
    return m.c(first + second)


def one_of_several(m, x):
    return m.c(Several.apply(partial(scaled, m.b), m.a(x), 2, x)[0])


def closure(m, x):
    outside = m.a.bias + 1  # saves nothing, so that two passes may go through it
    return m.c(Offload.apply(lambda x: m.b(x) + outside, m.a(x)))


def within_each_other(m, x):
    return Offload.apply(lambda x: m.c(Offload.apply(m.b, x).relu()), m.a(x))


def nested_dummies(m, x):
    return with_dummy(lambda m, x, _: m.c(with_dummy(called, m.b, x).relu()), m, m.a(x))


def keywords(m, x):
    x = m.a(x)
    first, second = with_dummy(called_twice, m.b, x, times=2, y=x.sigmoid())
    return m.c(first + second)


def one_of_keywords(m, x):
    return m.c(with_dummy(called_twice, m.b, m.a(x), times=2, y=x)[1])


MODELS = {
    "offload": lambda m, x: m.c(Offload.apply(m.b, m.a(x))),
    "first": lambda m, x: m.c(Offload.apply(m.b, x)),
    "last": lambda m, x: Offload.apply(lambda x: m.c(m.b(x)), m.a(x)),
    "twice": lambda m, x: m.c(Offload.apply(m.b, Offload.apply(m.b, m.a(x)))),
    "two": lambda m, x: Offload.apply(m.c, Offload.apply(m.b, m.a(x))),
    "inside and outside": lambda m, x: m.c(m.b(Offload.apply(m.b, m.a(x)))),
    "several outputs": several,
    "one of several outputs": one_of_several,
    "closure": closure,
    "checkpoint inside": lambda m, x: Offload.apply(lambda x: m.c(reentrant(m.b, x)), m.a(x)),
    "inside a checkpoint": lambda m, x: reentrant(lambda x: m.c(Offload.apply(m.b, x)), m.a(x)),
    "within each other": within_each_other,
    "three": lambda m, x: Offload.apply(lambda x: Offload.apply(lambda x: Offload.apply(m.b, x).relu(), m.c(x)).relu(), m.a(x)),
    "inside a non-reentrant one": lambda m, x: non_reentrant(lambda x: m.c(Offload.apply(m.b, x)), m.a(x)),
    "non-reentrant one inside": lambda m, x: Offload.apply(lambda x: m.c(non_reentrant(m.b, x)), m.a(x)),
    "dummy": lambda m, x: m.c(with_dummy(called, m.b, m.a(x))),
    "dummy first": lambda m, x: m.c(with_dummy(called, m.b, x)) + m.a(x),
    "dummies everywhere": lambda m, x: with_dummy(called, m.c, with_dummy(called, m.b, with_dummy(called, m.a, x))),
    "dummy twice": lambda m, x: m.c(m.b(with_dummy(called, m.a, with_dummy(called, m.a, x)))),
    "dummies within each other": nested_dummies,
    "keywords": keywords,
    "one of keywords": one_of_keywords,
    "autograd.grad": lambda m, x: m.c(ByGrad.apply(m.b, m.a(x))),
}


def report(name, folder, binary, *flags, run=None):
    file = str(folder / "m.capture.json")
    gradscan.record(Model(run or MODELS[name]), torch.rand(3, 4), file, bucket_cap_mb=1)
    done = subprocess.run([binary, *flags, "--format", "json", file], capture_output=True, text=True)
    with open(file) as capture:
        return done, json.load(capture)


@pytest.mark.parametrize("name", MODELS)
def test_what_the_report_expects_is_what_fires(name, gradscan_binary, tmp_path):
    done, capture = report(name, tmp_path, gradscan_binary)
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr
    assert "seen-otherwise" not in done.stdout
    assert "firings" in capture["observed"]
    assert not any(note.startswith("the backward of") for note in capture["notes"])


def test_names_and_parents(gradscan_binary, tmp_path):
    _, capture = report("inside a checkpoint", tmp_path, gradscan_binary)
    assert [(region["kind"], region["origin"], region["parent"]) for region in capture["regions"]] == [
        ("reentrant", "marker", -1),
        ("reentrant", "Function", 0),
    ]
    _, capture = report("within each other", tmp_path, gradscan_binary)
    outer, inner = capture["regions"]
    assert (outer["name"], outer["parent"], inner["parent"]) == ("Offload", -1, 0)
    assert outer["source"] == inner["source"] == f"{os.path.basename(__file__)}:{within_each_other.__code__.co_firstlineno + 1}"
    assert outer["begin"] < inner["begin"] < inner["end"] < outer["end"]


def test_nothing_of_the_model_changes(tmp_path):
    model = Model(MODELS["offload"])
    ran = []
    model.b.weight.register_hook(lambda _: ran.append("hook"))
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    assert not ran and all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("function", [Offload, Traceable])
def test_export_recommends_record(function, tmp_path):
    model = Model(lambda m, x: m.c(function.apply(m.b, m.a(x))))
    with pytest.raises(gradscan.TracingError, match=f"{function.__name__} .*use gradscan.record"):
        gradscan.export(model, torch.rand(3, 4), tmp_path / "m.pt")


def test_a_hook_that_runs_a_backward(gradscan_binary, tmp_path):
    def run(m, x):
        x = m.a(x)
        x.register_hook(lambda _: torch.enable_grad()(lambda: m.b(torch.ones(3, 4)).sum().backward())())
        return m.c(m.b(x))

    done, _ = report("", tmp_path, gradscan_binary, run=run)
    assert done.returncode == 70


def test_a_function_whose_input_needs_no_grad_is_not_ok(gradscan_binary, tmp_path):
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.block, self.head = nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.head(Offload.apply(self.block, self.embedding(x)))

    model = Frozen()
    model(torch.rand(3, 4)).sum().backward()
    assert model.block.weight.grad is None and model.head.weight.grad is not None  # it is never trained
    file = tmp_path / "m.capture.json"
    gradscan.record(Frozen(), torch.rand(3, 4), file, find_unused_parameters=True)
    run = subprocess.run([gradscan_binary, file, "--color", "never"], capture_output=True, text=True)
    assert run.returncode == 1 and "gets no tensor that requires grad" in " ".join(run.stdout.split())


def test_a_function_that_runs_two_passes(gradscan_binary, tmp_path):
    done, capture = report("", tmp_path, gradscan_binary, run=lambda m, x: m.c(TwoPasses.apply(m.b, m.a(x))))
    assert done.returncode == 70 and not capture["regions"]
    assert capture["notes"][0] == "what the backward of TwoPasses runs is not in this file"


# --- DistributedDataParallel -----------------------------------------------------------------------------------------------


def outcome(name, flags):
    torch.manual_seed(0)
    model = DistributedDataParallel(Model(MODELS[name]), bucket_cap_mb=1, **FLAGS[flags])
    try:
        for _ in range(3):
            model.zero_grad()
            model(torch.rand(3, 4)).sum().backward()
    except RuntimeError as error:
        known = {"ready only once": "marked_ready_twice", "finished reduction": "unfinished_reduction"}
        return next((kind for text, kind in known.items() if text in str(error)), str(error))
    return "pass"


def measure(rank, folder):
    measured = {}
    for name in MODELS:
        for flags in FLAGS:
            store = f"file://{folder}/{len(measured)}"
            dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2, timeout=timedelta(seconds=60))
            measured[f"{name}, {flags}"] = outcome(name, flags)
            gc.collect()  # a DistributedDataParallel keeps its group until then
            dist.destroy_process_group()
    with open(f"{folder}/rank{rank}.json", "w") as file:
        json.dump(measured, file)


@pytest.fixture(scope="module")
def measured():
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(sys.path)
        os.environ["PYTHONPATH"] = path
        mp.spawn(measure, (folder,), nprocs=2)
        with open(f"{folder}/rank0.json") as file:
            return json.load(file)


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("name", MODELS)
def test_the_verdict_is_what_ddp_does(name, flags, measured, gradscan_binary, tmp_path):
    options = [f"--{flags.replace('_', '-')}"] if flags != "default" else []
    done, _ = report(name, tmp_path, gradscan_binary, *options)
    assert done.returncode in (0, 1), done.stdout[-1000:] + done.stderr
    assert json.loads(done.stdout)["verdict"]["outcome"] == measured[f"{name}, {flags}"]
