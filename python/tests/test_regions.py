"""Every executed checkpoint() call is intercepted, however it was imported and whatever its arguments and results are."""

import dataclasses
import functools
import inspect
from collections import OrderedDict, namedtuple

import pytest
import torch
import torch.utils.checkpoint
import torch.utils.checkpoint as by_module
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import CheckpointImpl, checkpoint_wrapper
from torch.utils.checkpoint import CheckpointFunction, checkpoint, checkpoint_sequential

import gradscan
from gradscan.places import tensor_places

by_another_name = checkpoint
in_a_partial = functools.partial(checkpoint, use_reentrant=True)


class Model(nn.Module):
    """`run(model, x)` is its forward."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.stem, self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.run(self, self.stem(x))


def regions_of(scan, tmp_path, model, *args, **kwargs):
    """(name, kind, parent) of each region, after checking that export and record agree."""
    args = args or (torch.rand(3, 4),)
    gradscan.export(model, args, tmp_path / "m.pt", kwargs=kwargs)
    gradscan.record(model, args, tmp_path / "m.capture.json", kwargs=kwargs)
    exported, recorded = scan(str(tmp_path / "m.pt")), scan(str(tmp_path / "m.capture.json"))
    assert regions_in(exported) == regions_in(recorded)
    assert firings(exported) == firings(recorded) == real_firings(model, args, kwargs)
    return regions_in(exported)


def regions_in(report):
    return [(r["name"], r["kind"], -1 if r["parent"] is None else r["parent"]) for r in report["regions"]]


def firings(report):
    return {parameter["name"]: len(parameter["fired_by"]) for parameter in report["parameters"]}


def real_firings(model, args, kwargs):
    counts = {name: 0 for name, parameter in model.named_parameters() if parameter.requires_grad}
    nodes = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            node = torch.autograd.graph.get_gradient_edge(parameter).node
            node.register_hook(lambda *_, name=name: counts.update({name: counts[name] + 1}))
            nodes.append(node)
    output = model(*args, **kwargs)
    sum(place.tensor.sum() for place in tensor_places(output, "") if place.tensor.requires_grad).backward()
    model.zero_grad()
    return counts


def test_by_any_name(scan, tmp_path):
    def run(model, x):
        x = checkpoint(model.a, x, use_reentrant=False)
        x = torch.utils.checkpoint.checkpoint(model.a, x, use_reentrant=True)
        x = by_module.checkpoint(model.b, x, use_reentrant=False)
        x = by_another_name(model.b, x, use_reentrant=True)
        x = in_a_partial(model.a, x)
        return CheckpointFunction.apply(model.b, True, x)

    assert regions_of(scan, tmp_path, Model(run)) == [
        ("a", "non_reentrant", -1),
        ("a", "reentrant", -1),
        ("b", "non_reentrant", -1),
        ("b", "reentrant", -1),
        ("a", "reentrant", -1),
        ("b", "reentrant", -1),
    ]


@pytest.mark.parametrize("reentrant, kind", [(True, "reentrant"), (False, "non_reentrant")])
def test_as_a_decorator(reentrant, kind, scan, tmp_path):
    """Up to torch 2.13, checkpoint() needs a function."""
    if inspect.signature(checkpoint).parameters["function"].default is inspect.Parameter.empty:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'function'"):
            checkpoint(use_reentrant=reentrant)
        return

    def run(model, x):
        @checkpoint(use_reentrant=reentrant)
        def block(x):
            return model.a(x)

        return model.b(block(x))

    assert regions_of(scan, tmp_path, Model(run)) == [("block", kind, -1)]


@pytest.mark.parametrize("reentrant, kind", [(True, "reentrant"), (False, "non_reentrant"), (None, "reentrant")])
def test_sequential(reentrant, kind, scan, tmp_path):
    def run(model, x):
        return checkpoint_sequential([model.a, nn.ReLU(), model.b, nn.ReLU()], 2, x, use_reentrant=reentrant)

    assert regions_of(scan, tmp_path, Model(run)) == [("forward", kind, -1)]


def test_names(scan, tmp_path):
    def double(x):
        return 2 * x

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(4, 4)

        def inner(self, x):
            return self.a(x)

        def forward(self, x):
            def local(x):
                return checkpoint(self.a, x, use_reentrant=True)

            return checkpoint(self.inner, checkpoint(local, x, use_reentrant=True), use_reentrant=True)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([Block()])

        def forward(self, x):
            x = checkpoint(double, checkpoint(self.blocks[0].__call__, x, use_reentrant=False), use_reentrant=False)
            return checkpoint(functools.partial(self.blocks[0].forward), x, use_reentrant=False)

    inside = [("blocks.0.local", "reentrant"), ("blocks.0.a", "reentrant"), ("blocks.0.inner", "reentrant")]
    x = torch.rand(3, 4, requires_grad=True)
    found = regions_of(scan, tmp_path, Outer(), x)
    assert [region[:2] for region in found] == [
        ("blocks.0", "non_reentrant"),
        *inside,
        ("double", "non_reentrant"),
        ("blocks.0", "non_reentrant"),
        ("local", "reentrant"),
        *inside[1:],
    ]
    assert [region[2] for region in found] == [-1, 0, 1, 0, -1, -1, 5, 6, 5]


def test_a_forward_with_its_module_in_a_partial(scan, tmp_path):
    def run(model, x):
        return checkpoint(functools.partial(nn.Linear.forward, model.a), x, use_reentrant=False)

    assert regions_of(scan, tmp_path, Model(run)) == [("a", "non_reentrant", -1)]


def test_wrapper(scan, tmp_path):
    model = Model(lambda model, x: model.b(model.a(x)))
    model.a = checkpoint_wrapper(model.a, checkpoint_impl=CheckpointImpl.REENTRANT)
    model.b = checkpoint_wrapper(model.b)
    assert regions_of(scan, tmp_path, model) == [
        ("a._checkpoint_wrapped_module", "reentrant", -1),
        ("b._checkpoint_wrapped_module", "non_reentrant", -1),
    ]


@dataclasses.dataclass
class Result:
    hidden: torch.Tensor
    more: dict


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    "make",
    [
        lambda h: (h, 2 * h),
        lambda h: Pair(h, 2 * h),
        lambda h: [h, 2 * h],
        lambda h: OrderedDict(x=h, y=[2 * h]),
        lambda h: Result(h, {"y": 2 * h}),
        lambda h: (h, None, 3, "text"),
        lambda h: {"n": torch.arange(3), "h": h},
    ],
)
@pytest.mark.parametrize("reentrant", [True, False])
def test_results(make, reentrant, scan, tmp_path):
    def run(model, x):
        result = checkpoint(lambda x: make(model.a(x)), x, use_reentrant=reentrant)
        tensors = [place.tensor for place in tensor_places(result, "")]
        return model.b(sum(tensor.float().sum() for tensor in tensors) + x)

    assert len(regions_of(scan, tmp_path, Model(run))) == 1


def test_arguments(scan, tmp_path):
    def function(x, none, flag, number, pair, *, scale=1, mask=None):
        return pair[0] * x * number * scale + (mask["m"] if mask else 0)

    def run(model, x):
        size = x.shape[0]
        x = checkpoint(function, x, None, True, size, [torch.ones(3, 4), None], use_reentrant=True)
        pair = (model.a(x), None)
        return checkpoint(function, x, None, True, 2, pair, use_reentrant=False, scale=3, mask={"m": model.b(x)})

    assert len(regions_of(scan, tmp_path, Model(run))) == 2


def test_integers_and_no_arguments(scan, tmp_path):
    def run(model, x):
        ids = torch.arange(3)
        x = x + checkpoint(lambda ids: model.a.weight[ids], ids, use_reentrant=False)
        return x + checkpoint(lambda: model.b.weight[:3], use_reentrant=True) + checkpoint(model.b, x, use_reentrant=True)

    assert len(regions_of(scan, tmp_path, Model(run))) == 3


def test_the_same_function_by_different_kinds(scan, tmp_path):
    def run(model, x):
        return checkpoint(model.a, checkpoint(model.a, x, use_reentrant=True), use_reentrant=False)

    assert regions_of(scan, tmp_path, Model(run)) == [("a", "reentrant", -1), ("a", "non_reentrant", -1)]


def test_without_grad_there_is_no_region(scan, tmp_path):
    def run(model, x):
        with torch.no_grad():
            y = checkpoint(model.a, x, use_reentrant=True)
        return model.b(x) + y

    assert regions_of(scan, tmp_path, Model(run)) == []


def test_reading_requires_grad_depends_on_the_kind(scan, tmp_path):
    def run(model, x):
        lost = checkpoint(model.a, x.detach(), use_reentrant=True)
        if lost.requires_grad:
            lost = checkpoint(model.a, lost, use_reentrant=True)
        kept = checkpoint(model.a, x.detach(), use_reentrant=False)
        if kept.requires_grad:
            kept = checkpoint(model.b, kept, use_reentrant=True)
        return lost + kept + x

    assert regions_of(scan, tmp_path, Model(run)) == [
        ("a", "reentrant", -1),
        ("a", "non_reentrant", -1),
        ("b", "reentrant", -1),
    ]


def test_selective_checkpointing(scan, tmp_path):
    from torch.utils.checkpoint import create_selective_checkpoint_contexts

    contexts = functools.partial(create_selective_checkpoint_contexts, [torch.ops.aten.mm.default])

    def run(model, x):
        return checkpoint(model.a, x, use_reentrant=False, context_fn=contexts)

    assert regions_of(scan, tmp_path, Model(run)) == [("a", "non_reentrant", -1)]


def test_a_wrong_call_fails_as_torch_fails():
    model = Model(lambda model, x: checkpoint(lambda x, scale: model.a(x), x, use_reentrant=True, scale=3))
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        model(torch.rand(3, 4))
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        gradscan.record(model, torch.rand(3, 4), "unused.capture.json")
