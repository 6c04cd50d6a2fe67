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


def options_of_checkpoint():
    return inspect.signature(checkpoint).parameters


needs_decorator = pytest.mark.skipif(
    options_of_checkpoint()["function"].default is inspect.Parameter.empty,
    reason="torch up to 2.13: checkpoint() needs a function",
)
KINDS = [(True, "reentrant"), (False, "non_reentrant"), (None, "reentrant")]


@needs_decorator
@pytest.mark.parametrize("reentrant, kind", KINDS)
def test_a_decorated_function(reentrant, kind, scan, tmp_path):
    def run(model, x):
        @checkpoint(use_reentrant=reentrant)
        def block(x):
            return model.a(x)

        return model.b(block(x))

    assert regions_of(scan, tmp_path, Model(run)) == [("block", kind, -1)]


@needs_decorator
@pytest.mark.parametrize("reentrant, kind", KINDS)
def test_decorated_before_gradscan_runs(reentrant, kind, scan, tmp_path):
    """A method, a forward, a module in an attribute, and a function inside of another one's region."""
    decorate = checkpoint(use_reentrant=reentrant, preserve_rng_state=False)

    class Inner(nn.Linear):
        @decorate
        def forward(self, x):
            return super().forward(x)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.inner, self.last = nn.Linear(4, 4), Inner(4, 4), nn.Linear(4, 4)
            self.checkpointed = decorate(self.last)

        @decorate
        def block(self, x):
            return self.inner(x)

        def forward(self, x):
            return self.checkpointed(self.block(self.stem(x)))

    assert regions_of(scan, tmp_path, Outer()) == [("block", kind, -1), ("inner", kind, 0), ("last", kind, -1)]


@needs_decorator
def test_a_decorated_function_with_keywords(scan, tmp_path):
    @checkpoint(use_reentrant=False)
    def block(layer, x, *, scale, mask=None):
        return layer(x) * scale * (1 if mask is None else mask)

    def run(model, x):
        return block(model.a, x, scale=2) + block(model.b, x, scale=3, mask=x)

    assert regions_of(scan, tmp_path, Model(run)) == [("block", "non_reentrant", -1)] * 2


@pytest.mark.skipif("respect_saved_tensors_hooks" not in options_of_checkpoint(), reason="new in torch 2.14")
@pytest.mark.parametrize("respect", [True, False, None])
@pytest.mark.filterwarnings("error::FutureWarning")
def test_respect_for_hooks_of_saved_tensors(respect, scan, tmp_path):
    """Torch warns of None where such hooks meet selective checkpointing."""
    from torch.utils.checkpoint import create_selective_checkpoint_contexts

    contexts = functools.partial(create_selective_checkpoint_contexts, [torch.ops.aten.mm.default])
    options = {"use_reentrant": False, "respect_saved_tensors_hooks": respect}

    def run(model, x):
        with torch.autograd.graph.save_on_cpu():
            x = checkpoint(model.a, x, **options)
            return checkpoint(**options, **({} if respect is None else {"context_fn": contexts}))(model.b)(x)

    assert regions_of(scan, tmp_path, Model(run)) == [("a", "non_reentrant", -1), ("b", "non_reentrant", -1)]


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


WRONG_CALLS = [
    ({"use_reentrant": True, "scale": 3}, "Unexpected keyword arguments: scale"),
    ({"use_reentrant": True, "context_fn": lambda: None}, "is only supported when use_reentrant=False"),
    ({"use_reentrant": True, "debug": True}, "is only supported when use_reentrant=False"),
    ({"use_reentrant": False, "determinism_check": "strict"}, "determinism_check should be one of"),
    ({"use_reentrant": False, "debug": True, "context_fn": lambda: None}, "debug=True is incompatible with non-default"),
]
if "respect_saved_tensors_hooks" in options_of_checkpoint():
    WRONG_CALLS.append(({"respect_saved_tensors_hooks": False}, "is only supported when use_reentrant=False"))


@pytest.mark.parametrize("options, words", WRONG_CALLS)
@pytest.mark.parametrize("decorated", [False, pytest.param(True, marks=needs_decorator)])
def test_a_wrong_call_fails_as_torch_fails(options, words, decorated, tmp_path):
    def run(model, x):
        if not decorated:
            return checkpoint(model.a, x, **options)
        scale = {name: value for name, value in options.items() if name == "scale"}
        return checkpoint(**{name: value for name, value in options.items() if name != "scale"})(model.a)(x, **scale)

    model = Model(run)
    for fails in (model, lambda x: gradscan.record(model, x, tmp_path / "m.capture.json")):
        with pytest.raises(ValueError, match=words):
            fails(torch.rand(3, 4))
