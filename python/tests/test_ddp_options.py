"""DistributedDataParallel's further options: they are refused, noted, or make no difference to what the real one does."""

import gc
import inspect
import itertools
import json
import os
import sys
import tempfile
from datetime import timedelta
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parallel.distributed import _MixedPrecision
from torch.utils.checkpoint import checkpoint

import gradscan

reentrant = partial(checkpoint, use_reentrant=True)


class Model(nn.Module):
    def __init__(self, run=lambda m, x: m.c(m.b(m.a(x)))):
        super().__init__()
        self.a, self.b, self.c, self.run = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), run

    def forward(self, x):
        return self.run(self, x)


def last_bucket_twice(m, x):
    x.requires_grad_()
    return m.c(m.b(reentrant(m.a, reentrant(m.a, x))))


MODELS = {
    "unused": lambda m, x: m.c(m.a(x)),
    "reentrant": lambda m, x: m.c(reentrant(m.b, m.a(x))),
    "inside and outside": lambda m, x: m.c(m.b(reentrant(m.b, m.a(x)))),
    "last bucket twice": last_bucket_twice,
}
FLAGS = {"default": {}, "find_unused_parameters": {"find_unused_parameters": True}}


def keep(state, bucket: dist.GradBucket):
    """A communication hook that averages nothing."""
    done = torch.futures.Future()
    done.set_result(bucket.buffer())
    return done


def wrapped(model, after=lambda ddp: None, **options):
    ddp = DistributedDataParallel(model, **options)
    after(ddp)
    return ddp


def with_hook(hook):
    return partial(wrapped, after=lambda ddp: ddp.register_comm_hook(None, hook))


def made_static(model, **flags):
    return wrapped(model, lambda ddp: ddp._set_static_graph(), **{**flags, "static_graph": False})


def delayed(model, **flags):
    """Those of b are averaged when a.weight has its gradient, after them."""
    names = [(name, parameter) for name, parameter in model.named_parameters() if name.startswith("b.")]
    return wrapped(model, delay_all_reduce_named_params=names, param_to_hook_all_reduce=model.a.weight, **flags)


ARGUMENTS = {
    "init_sync": False,
    "broadcast_buffers": False,
    "skip_all_reduce_unused_params": True,
    "bucket_cap_mb_list": [0.00001, 1],
    "batched_grad_copy": True,
    "lazy_bucket_allocation": True,
}
KNOWN = inspect.signature(DistributedDataParallel).parameters
WRAPPERS = {name: partial(wrapped, **{name: value}) for name, value in ARGUMENTS.items() if name in KNOWN} | {
    "allreduce_hook": with_hook(default_hooks.allreduce_hook),
    "FP16_COMPRESS": partial(
        wrapped, after=lambda ddp: ddp._register_builtin_comm_hook(dist.BuiltinCommHookType.FP16_COMPRESS)
    ),
    "_ddp_sink_clone": partial(wrapped, after=lambda ddp: setattr(ddp, "_ddp_sink_clone", False)),
    "_set_static_graph": made_static,
    "delay_all_reduce_named_params": delayed,
}


def notes_on(ddp, folder):
    gradscan.record(ddp, torch.rand(3, 4), folder / "m.capture.json", verify=False)
    return json.loads((folder / "m.capture.json").read_text())["notes"]


def test_what_is_accepted(tmp_path, process_group):
    for name, wrap in WRAPPERS.items():
        assert bool(notes_on(wrap(Model(), bucket_cap_mb=1), tmp_path)) == name.startswith("delay"), name


def python_reducer(model):
    with torch._dynamo.config.patch(optimize_ddp="python_reducer"):
        return DistributedDataParallel(model)


def all_delayed(model):
    """A frozen parameter is not among them; without one, DDP has no constructor for this."""
    model.c.bias.requires_grad_(False)
    names = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    return DistributedDataParallel(model, delay_all_reduce_named_params=names, param_to_hook_all_reduce=model.a.weight)


def mixed(model):
    """The argument itself needs a GPU."""
    return wrapped(model, lambda ddp: setattr(ddp, "mixed_precision", _MixedPrecision(param_dtype=torch.bfloat16)))


def with_small_views(model):
    return DistributedDataParallel(model, bucket_cap_mb_list=[0.00001, 1], gradient_as_bucket_view=True)


def finalized_by_hand(model):
    return wrapped(model, lambda ddp: setattr(ddp, "require_manual_backward_finalization", True))


@pytest.mark.parametrize(
    "wrap, words",
    [
        (all_delayed, "delay_all_reduce_named_params names all parameters.*: leave some out"),
        (mixed, "mixed_precision makes .*: use torch.autocast, or omit it"),
        (python_reducer, "the Python reducer marks no parameters: set torch._dynamo.config.optimize_ddp to True"),
        (with_small_views, "bucket_cap_mb_list makes .*: use bucket_cap_mb"),
        (finalized_by_hand, "require_manual_backward_finalization leaves .*: set it to False"),
    ],
)
def test_what_is_refused(wrap, words, tmp_path, process_group):
    if wrap is with_small_views and "bucket_cap_mb_list" not in KNOWN:
        pytest.skip("this version of torch has no bucket_cap_mb_list")
    if wrap is finalized_by_hand and not hasattr(DistributedDataParallel, "require_manual_backward_finalization"):
        pytest.skip("this version of torch finalizes each backward itself")
    ddp = wrap(Model())
    for write, file in ((gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")):
        with pytest.raises(gradscan.Error, match=words):
            write(ddp, torch.rand(3, 4), tmp_path / file)


@pytest.mark.skipif("bucket_cap_mb_list" not in KNOWN, reason="this version of torch does not have it")
def test_a_list_of_buckets_of_which_one_is_needed(tmp_path, process_group):
    ddp = DistributedDataParallel(Model(), bucket_cap_mb_list=[1, 2], gradient_as_bucket_view=True)
    assert not notes_on(ddp, tmp_path)


def test_a_communication_hook_is_noted(tmp_path, process_group):
    (note,) = notes_on(with_hook(keep)(Model()), tmp_path)
    assert note == (
        "the communication hook keep decides what becomes of the gradients: this is the verdict if it averages them"
    )


def test_hooks_of_the_wrapper_are_noted(tmp_path, process_group):
    ddp = DistributedDataParallel(Model())
    ddp.register_forward_hook(lambda _, __, output: output.detach())
    assert notes_on(ddp, tmp_path) == [
        "DistributedDataParallel has forward hooks of its own, which did not run: register them on the model inside"
    ]


def test_delayed_parameters_are_ignored(scan, tmp_path, process_group):
    ddp = delayed(Model())
    (note,) = notes_on(ddp, tmp_path)
    assert note.startswith("delay_all_reduce_named_params takes b.weight, b.bias away from")
    found = scan(str(tmp_path / "m.capture.json"))["parameters"]
    assert [parameter["name"] for parameter in found] == ["a.weight", "a.bias", "c.weight", "c.bias"]
    with pytest.raises(gradscan.Error, match="ignore list, such as b.weight.*use gradscan.record"):
        gradscan.export(ddp, torch.rand(3, 4), tmp_path / "m.pt")


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.a, self.b = nn.Parameter(torch.ones(4)), nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x)) * self.scale


@pytest.mark.parametrize(
    "ignored, left",
    [
        (["scale"], ["scale", "a.weight", "a.bias", "b.bias"]),
        ([".scale"], ["a.weight", "a.bias", "b.bias"]),
        (["a.weight"], ["scale", "a.weight", "a.bias", "b.bias"]),
        (["a.weight", "b.weight"], ["scale", "a.bias", "b.bias"]),
    ],
)
def test_names_of_ignored_parameters(ignored, left, scan, tmp_path, process_group):
    """DDP compares the names that it forms itself, one for each module that has the parameter."""
    model = Scaled()
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, ignored)
    ddp = DistributedDataParallel(model)
    for given in (model, ddp):
        gradscan.record(given, torch.rand(3, 4), tmp_path / "m.capture.json")
        assert [parameter["name"] for parameter in scan(str(tmp_path / "m.capture.json"))["parameters"]] == left
    tensors, _ = ddp._build_params_for_reducer()
    assert {id(tensor) for tensor in tensors} == {id(model.get_parameter(name)) for name in left}


# --- with another rank -----------------------------------------------------------------------------------------------------


def gradients_of_ranks(parameter):
    own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach()
    gradients = [torch.empty_like(own) for _ in range(2)]
    dist.all_gather(gradients, own)
    return gradients


def trained(ddp, parameters, rank):
    """What happens in three iterations; the ranks have different data."""
    torch.manual_seed(rank)
    differ, moved = set(), set()
    for _ in range(3):
        ddp.zero_grad()
        try:
            ddp(torch.rand(3, 4)).square().sum().backward()
        except RuntimeError as error:
            known = {"ready only once": "marked_ready_twice", "finished reduction": "unfinished_reduction"}
            return next((kind for text, kind in known.items() if text in str(error)), str(error)), [], []
        dist.barrier()
        for name, parameter in parameters.items():
            gradients = gradients_of_ranks(parameter)
            differ |= {name} if not torch.equal(*gradients) else set()
            moved |= {name} if any(gradient.any() for gradient in gradients) else set()
    return "pass", sorted(differ), sorted(parameters.keys() - moved)


def measure_one(case, rank, folder):
    model, flags, wrapper = case
    torch.manual_seed(0)
    ddp = WRAPPERS[wrapper](Model(MODELS[model]), **({} if "list" in wrapper else {"bucket_cap_mb": 1}), **FLAGS[flags])
    delayed = {id(parameter) for parameter in ddp._delay_all_reduce_params}
    parameters = {name: p for name, p in ddp.module.named_parameters() if id(p) not in delayed}
    if rank == 0:  # on one rank only: it runs no collectives
        gradscan.record(ddp, torch.rand(3, 4), f"{folder}/{', '.join(case)}.capture.json", iterations=1)
    return trained(ddp, parameters, rank)


def measure(rank, folder):
    measured = {}
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    for case in CASES:
        measured[", ".join(case)] = measure_one(case, rank, folder)
        dist.barrier()
    gc.collect()  # a DistributedDataParallel keeps its group until then
    dist.destroy_process_group()
    with open(f"{folder}/rank{rank}.json", "w") as file:
        json.dump(measured, file)


CASES = list(itertools.product(MODELS, FLAGS, WRAPPERS))


@pytest.fixture(scope="module")
def measured():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        mp.spawn(measure, (folder,), nprocs=2)
        with open(f"{folder}/rank0.json") as file:
            yield folder, json.load(file)


@pytest.mark.parametrize("model, flags, wrapper", CASES)
def test_real_ddp_does_the_same(model, flags, wrapper, measured, scan):
    folder, rows = measured
    case = f"{model}, {flags}, {wrapper}"
    report = scan(f"{folder}/{case}.capture.json")
    verdict, names = report["verdict"], {parameter["index"]: parameter["name"] for parameter in report["parameters"]}
    found = [sorted(names[index] for index in verdict[key]) for key in ("unsynchronised", "untrained")]
    if verdict["outcome"] != "pass":
        found = [[], []]
    assert [verdict["outcome"], *found] == rows[case]
