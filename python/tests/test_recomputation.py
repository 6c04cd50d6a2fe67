"""Regions whose second run, in backward, would save other tensors than their first, and what torch makes of them."""

import inspect
import json
import random
import zipfile

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import CheckpointError, checkpoint, set_checkpoint_early_stop

import gradscan


class Model(nn.Module):
    """`block(model, x)` is what its two regions run."""

    def __init__(self, block, **options):
        super().__init__()
        self.block, self.options = block, {"use_reentrant": False} | options
        self.a, self.b, self.dropout, self.count = nn.Linear(4, 4), nn.Linear(4, 4), nn.Dropout(0.5), 0

    def forward(self, x):
        self.count += 1
        for _ in range(2):
            x = checkpoint(self.block, self, x, **self.options)
        self.count += 1
        return x


def recorded(tmp_path, model, **options):
    options = {"iterations": 2} | options
    gradscan.record(model, torch.rand(3, 4, requires_grad=True), tmp_path / "m.capture.json", **options)
    return json.loads((tmp_path / "m.capture.json").read_text())


def recomputations(tmp_path, model):
    return [region.get("recomputation") for region in recorded(tmp_path, model)["regions"]]


def real_error(model):
    try:
        model(torch.rand(3, 4, requires_grad=True)).sum().backward()
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


def steady(model, x):
    return torch.tanh(model.b(model.dropout(model.a(x))))


def fewer_later(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else x


def more_later(model, x):
    x = model.a(x)
    return x if model.count % 2 else torch.tanh(x)


def other_shape_later(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else torch.tanh(x[:2]).repeat(2, 1)[:3]


def other_dtype_later(model, x):
    x = model.a(x)
    return torch.tanh(x if model.count % 2 else x.double()).float()


def more_and_other_later(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else torch.tanh(torch.tanh(x[:2])).repeat(2, 1)[:3]


def another_before(model, x):
    x = model.a(x)
    return torch.tanh(x) if model.count % 2 else torch.tanh(torch.sin(x))


def more_after_integers(model, x):
    x = torch.take(model.a(x), torch.arange(12)).view(3, 4)
    return x if model.count % 2 else torch.tanh(x)


def other_and_dead(model, x):
    x = model.a(x)
    torch.tanh(x if model.count % 2 else x[:2])
    return torch.tanh(x)


def dead_only(model, x):
    torch.tanh(x)
    x = x + model.a.bias
    return x if model.count % 2 else torch.tanh(x)


def negated_before(model, x):
    x = model.a(x)
    return x**2 if model.count % 2 else torch.tanh((-x) ** 2)


def flipped_before(model, x):
    x = model.a(x)
    return x**2 if model.count % 2 else torch.tanh(x.flip(0) ** 2)


def permuted_indices(model, x):
    x = model.a(x)
    order = torch.tensor([0, 1, 2] if model.count % 2 else [2, 0, 1])
    return x[order] if model.count % 2 else torch.tanh(x[order])


def other_weight(model, x):
    weights = [model.a.weight, model.b.weight]
    x = x @ weights[model.count % 2]
    return x if model.count % 2 else torch.tanh(x)


def torch_coin(model, x):
    x = model.a(x)
    return torch.tanh(x) if torch.rand(()) < 0.5 else x * 2


def autocast_inside(model, x):
    return torch.tanh(model.a(x)).float()


@pytest.mark.parametrize("reentrant", [True, False])
def test_another_path(reentrant, tmp_path):
    assert recomputations(tmp_path, Model(steady, use_reentrant=reentrant)) == [None, None]
    fewer = "the first run saves 3 tensors, the second 2"
    assert recomputations(tmp_path, Model(fewer_later, use_reentrant=reentrant)) == [fewer, fewer]
    more = "the first run saves 2 tensors, the second 3"
    assert recomputations(tmp_path, Model(more_later, use_reentrant=reentrant)) == [more, more]
    shape = "of 3 saved tensors, number 3 is float32[3, 4] in the first run, float32[2, 4] in the second"
    assert recomputations(tmp_path, Model(other_shape_later, use_reentrant=reentrant)) == [shape, shape]


def test_real_checkpointing_raises():
    assert "different number of tensors was saved" in real_error(Model(fewer_later))
    assert "have different metadata" in real_error(Model(other_shape_later))
    assert real_error(Model(steady)) == ""


DIFFERENT = [
    fewer_later,
    more_later,
    other_shape_later,
    other_dtype_later,
    more_and_other_later,
    another_before,
    more_after_integers,
    other_and_dead,
    dead_only,
    negated_before,
    flipped_before,
    permuted_indices,
    other_weight,
]


def gradients(model, function):
    """Or the error that there is instead."""
    torch.manual_seed(0)
    x = torch.rand(3, 4, requires_grad=True)
    try:
        (function(x) ** 2).sum().backward()
    except Exception as error:  # noqa: BLE001
        return error
    return [torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in (x, *model.parameters())]


def equal(some, others):
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


def what_torch_makes_of_it(block, early_stop, **options):
    torch.manual_seed(1)
    model = Model(block, **options)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with set_checkpoint_early_stop(early_stop):
        real = gradients(model, model)
    if isinstance(real, CheckpointError):
        return "raises"
    plain = Model(block)
    plain.load_state_dict(state)
    plain.count = 1
    expected = gradients(plain, lambda x: block(plain, block(plain, x)))
    return "harmless" if not isinstance(real, Exception) and equal(real, expected) else "unnoticed"


class EarlyStop(Model):
    """The setting is in force when checkpoint() is called."""

    def __init__(self, block, setting, **options):
        super().__init__(block, **options)
        self.setting = setting

    def forward(self, x):
        with set_checkpoint_early_stop(self.setting):
            return super().forward(x)


@pytest.mark.parametrize("early_stop", [True, False])
@pytest.mark.parametrize("check", ["default", "none"])
@pytest.mark.parametrize("block", DIFFERENT)
def test_what_torch_makes_of_it(block, check, early_stop, tmp_path):
    real = what_torch_makes_of_it(block, early_stop, determinism_check=check)
    regions = recorded(tmp_path, EarlyStop(block, early_stop, determinism_check=check))["regions"]
    assert [region.get("mismatch") for region in regions] == [real, real]


@pytest.mark.parametrize("early_stop", [True, False])
@pytest.mark.parametrize("block", DIFFERENT)
def test_what_torch_would_make_of_a_reentrant_region(block, early_stop, tmp_path):
    real = what_torch_makes_of_it(block, early_stop)
    regions = recorded(tmp_path, EarlyStop(block, early_stop, use_reentrant=True))["regions"]
    assert [region.get("mismatch") for region in regions] == [real, real]


@pytest.mark.skipif("early_stop" not in inspect.signature(checkpoint).parameters, reason="an option of later versions of torch")
def test_the_option_early_stop(tmp_path):
    assert isinstance(gradients(model := Model(more_later, early_stop=False), model), CheckpointError)
    assert [r["mismatch"] for r in recorded(tmp_path, Model(more_later, early_stop=False))["regions"]] == ["raises"] * 2
    assert [r["mismatch"] for r in recorded(tmp_path, EarlyStop(more_later, True, early_stop=False))["regions"]] == [
        "harmless"
    ] * 2


class Parts(nn.Module):
    """`block(model, x)` is what its only region runs."""

    def __init__(self, block, **options):
        super().__init__()
        self.block, self.options = block, {"use_reentrant": False} | options
        self.a, self.b, self.batch_norm, self.layer_norm = nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.LayerNorm(4)
        self.dropout, self.embedding, self.generator = nn.Dropout(0.5), nn.Embedding(5, 4), torch.Generator()

    def forward(self, x):
        return checkpoint(self.block, self, x, **self.options)


def dropout(model, x):
    return model.b(model.dropout(model.a(x)))


def own_generator(model, x):
    return model.b(model.a(x) * torch.rand(3, 4, generator=model.generator))


def python_number(model, x):
    return torch.tanh(model.a(x) * random.random())


def batch_norm(model, x):
    return torch.tanh(model.batch_norm(model.a(x)))


def layer_norm(model, x):
    return torch.tanh(model.layer_norm(model.a(x)))


def attention(model, x):
    x = model.a(x).view(1, 1, 3, 4)
    return nn.functional.scaled_dot_product_attention(x, model.b(x), x, is_causal=True).view(3, 4)


def masked_attention(model, x):
    mask = torch.full((3, 3), -torch.inf).triu(1)
    return nn.functional.scaled_dot_product_attention(model.a(x)[None], model.b(x)[None], x[None], attn_mask=mask)[0]


def embedding(model, x):
    return model.a(x) * model.embedding(torch.tensor([3, 1, 3]))


def autocast(model, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return torch.tanh(model.b(torch.relu(model.a(x)))).float()


def in_place(model, x):
    x = model.a(x)
    x.mul_(2).relu_()
    return model.b(x).sigmoid_()


def complex_numbers(model, x):
    return (torch.fft.fft(model.a(x)) ** 2).abs()


def gradients_of_parts(block, is_checkpointed, **options):
    torch.manual_seed(1)
    random.seed(1)
    model = Parts(block, **options)
    model.generator.manual_seed(1)
    return gradients(model, model if is_checkpointed else lambda x: block(model, x))


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("block", [dropout, own_generator, python_number])
def test_other_numbers(block, reentrant, tmp_path):
    options = {"use_reentrant": reentrant, "preserve_rng_state": block is not dropout}
    assert not equal(gradients_of_parts(block, True, **options), gradients_of_parts(block, False))
    (region,) = recorded(tmp_path, Parts(block, **options))["regions"]
    count, number = {dropout: (5, 3), own_generator: (5, 3), python_number: (3, 3)}[block]
    assert region["recomputation"] == f"both runs save {count} tensors, but number {number} has other numbers"
    assert region["mismatch"] == "unnoticed"


SAME_NUMBERS = [
    dropout,
    batch_norm,
    layer_norm,
    attention,
    masked_attention,
    embedding,
    autocast,
    in_place,
    complex_numbers,
]


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("block", SAME_NUMBERS)
def test_the_same_numbers(block, reentrant, tmp_path):
    assert equal(gradients_of_parts(block, True, use_reentrant=reentrant), gradients_of_parts(block, False))
    (region,) = recorded(tmp_path, Parts(block, use_reentrant=reentrant))["regions"]
    assert "recomputation" not in region and "mismatch" not in region


def every_fifth_call(model, x):
    model.calls = getattr(model, "calls", 0) + 1
    x = model.a(x)
    return x if model.calls % 5 else torch.tanh(x)


def test_a_later_iteration(tmp_path):
    model = Parts(every_fifth_call)
    assert ["different number of tensors" in real_error(model) for _ in range(3)] == [False, False, True]
    found = recorded(tmp_path, Parts(every_fifth_call), iterations=4)
    regions = [region for graph in (found, *found.get("further", ())) for region in graph["regions"]]
    sentences = {region.get("recomputation"): region.get("mismatch") for region in regions}
    assert sentences["the first run saves 3 tensors, the second 2"] == "raises"


@pytest.mark.parametrize("write", ["record", "export"])
def test_one_iteration(write, tmp_path):
    def notes(model, iterations):
        get = recorded if write == "record" else exported
        return get(tmp_path, model, iterations=iterations)["notes"]

    note = "recomputations were not checked, because iterations=1"
    assert note in notes(Parts(layer_norm), 1)
    assert note not in notes(Parts(layer_norm), 2)
    assert note not in notes(nn.Linear(4, 4), 1)


def fewer_within(model, x):
    return torch.tanh(checkpoint(fewer_later, model, model.a(x), use_reentrant=False))


def test_a_difference_in_a_region_within(tmp_path):
    """How often that runs depends on what backward needs, so nothing is claimed."""
    outer = recorded(tmp_path, Model(fewer_within))["regions"][0]
    assert outer["recomputation"] == "the first run saves 6 tensors, the second 5" and "mismatch" not in outer


def fails_later(model, x):
    if model.count % 2 == 0:
        raise KeyError("labels")
    return torch.tanh(model.a(x))


class Mixed(Model):
    """Of its two regions, the second cannot run again."""

    def forward(self, x):
        self.count += 1
        x = checkpoint(fewer_later, self, x, use_reentrant=False)
        x = checkpoint(self.block, self, x, use_reentrant=False)
        self.count += 1
        return x


def test_a_second_run_that_fails_hides_no_other(tmp_path):
    assert "labels" in real_error(Mixed(fails_later))
    capture = recorded(tmp_path, Mixed(fails_later))
    assert [region.get("mismatch") for region in capture["regions"]] == ["raises", None]
    (note,) = (note for note in capture["notes"] if "was not checked" in note)
    assert note.startswith("the recomputation of fails_later (test_recomputation.py:")
    assert note.endswith("because it fails (KeyError: 'labels')")


class OtherForward(Model):
    """Its state outside of the model tells the forward that is compared from those before."""

    forwards = 0

    def forward(self, x):
        OtherForward.forwards += 1
        if OtherForward.forwards == 3:
            return self.block(self, x)
        return super().forward(x)


def test_another_number_of_regions(tmp_path):
    OtherForward.forwards = 0
    notes = recorded(tmp_path, OtherForward(steady))["notes"]
    assert "a further forward runs other checkpoint regions, whose recomputations fit no graph here" in notes
    OtherForward.forwards = 0
    notes = recorded(tmp_path, OtherForward(lambda model, x: 1 / (3 - OtherForward.forwards) * x))["notes"]
    assert "a further forward fails (ZeroDivisionError: division by zero), so recomputations were not checked" in notes


class TwoOutputs(Model):
    def __init__(self, block, returned=("differs", "steady"), **options):
        super().__init__(block, **options)
        self.returned = returned

    def forward(self, x):
        self.count += 1
        differs = checkpoint(fewer_later, self, x, **self.options)
        result = {"differs": differs, "steady": checkpoint(steady, self, x, **self.options)}
        self.count += 1
        return {name: result[name] for name in self.returned}


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_region_that_no_output_reaches(reentrant, tmp_path):
    """It has no second run."""
    for output, expected in (("steady", [None, None]), ("differs", ["raises", None])):
        model = TwoOutputs(steady, [output], use_reentrant=reentrant)
        real = gradients(model, lambda x, model=model, output=output: model(x)[output])
        assert isinstance(real, CheckpointError) == (output == "differs" and not reentrant)
        model = TwoOutputs(steady, [output], use_reentrant=reentrant)
        assert [region.get("mismatch") for region in recorded(tmp_path, model)["regions"]] == expected


@pytest.mark.parametrize("flags", [{}, {"find_unused_parameters": True}, {"static_graph": True}], ids=str)
def test_a_region_that_the_loss_does_not_use(flags, process_group, tmp_path):
    """DDP makes backward reach it, depending on its flags."""
    ddp = DistributedDataParallel(TwoOutputs(steady), **flags)
    real = gradients(ddp, lambda x: ddp(x)["steady"])
    assert isinstance(real, CheckpointError) == bool(flags)
    regions = recorded(tmp_path, TwoOutputs(steady), loss=lambda result: result["steady"].sum(), **flags)["regions"]
    assert [region.get("mismatch") for region in regions] == ["raises", None]


def nothing_at_first(model, x):
    return x if model.count % 2 else torch.tanh(x)


def test_a_region_that_builds_nothing_at_first(tmp_path):
    assert what_torch_makes_of_it(nothing_at_first, True) == "harmless"
    regions = recorded(tmp_path, Model(nothing_at_first, use_reentrant=True))["regions"]
    assert [region.get("mismatch") for region in regions] == ["harmless", "harmless"]


class TakingTurns(Model):
    """In every other forward, there is another region, and only that one differs."""

    def __init__(self):
        super().__init__(steady)
        self.iteration = 0

    def forward(self, x):
        self.iteration += 1
        self.count = 1
        x = checkpoint(steady, self, x, use_reentrant=False)
        if self.iteration % 2 == 0:
            x = checkpoint(fewer_later, self, x, use_reentrant=False)
        self.count = 2
        return x


def test_the_regions_of_every_graph(tmp_path):
    model = TakingTurns()
    assert [bool(real_error(model)) for _ in range(4)] == [False, True, False, True]
    capture = recorded(tmp_path, TakingTurns(), iterations=4)
    graphs = [capture, *capture["further"]]
    found = [[(region["name"], region.get("mismatch")) for region in graph["regions"]] for graph in graphs]
    assert found == [[("steady", None)], [("steady", None), ("fewer_later", "raises")]]


def exported(tmp_path, model, **options):
    gradscan.export(model, torch.rand(3, 4, requires_grad=True), tmp_path / "m.pt", **options)
    with zipfile.ZipFile(tmp_path / "m.pt") as archive:
        return json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("extra/gradscan.json"))))


@pytest.mark.parametrize("block", [steady, fewer_later, more_later, fewer_within])
def test_an_export_says_the_same(block, tmp_path):
    regions = recorded(tmp_path, Model(block))["regions"]
    names = {"recomputation": "difference", "mismatch": "mismatch"}
    expected = [{to: region[name] for name, to in names.items() if name in region} or None for region in regions]
    assert exported(tmp_path, Model(block))["recomputations"] == expected


def test_an_export_says_what_it_has_not_compared(tmp_path):
    assert exported(tmp_path, Model(fewer_later), iterations=1)["recomputations"] == []
    metadata = exported(tmp_path, Mixed(fails_later))
    assert metadata["recomputations"][0]["mismatch"] == "raises" and metadata["recomputations"][1] is None
    assert any("was not checked, because it fails (KeyError: 'labels')" in note for note in metadata["notes"])
    OtherForward.forwards = 2
    metadata = exported(tmp_path, OtherForward(steady))
    assert metadata["recomputations"] == []
    assert "a forward runs other checkpoint regions than the trace, so recomputations were not checked" in metadata["notes"]


class InnerBackward(torch.autograd.Function):
    """A checkpoint of its own, whose function has a checkpoint in it."""

    @staticmethod
    def forward(ctx, x, model):
        ctx.model = model
        ctx.save_for_backward(x)
        return model.b(x)

    @staticmethod
    def backward(ctx, gradient):
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            checkpoint(ctx.model.b, x, use_reentrant=False).backward(gradient)
        return x.grad, None


class WithFunction(Model):
    def forward(self, x):
        self.count = 1
        x = InnerBackward.apply(x, self)
        x = checkpoint(fewer_later, self, x, use_reentrant=False)
        self.count = 2
        return x


def test_regions_of_functions_stand_apart(tmp_path):
    regions = recorded(tmp_path, WithFunction(steady))["regions"]
    assert {region["origin"] for region in regions} == {"marker", "Function"}
    assert {region["name"]: region.get("mismatch") for region in regions} == {
        "fewer_later": "raises",
        "InnerBackward": None,
        "b": None,
    }


def test_random_numbers_are_preserved(tmp_path):
    for seed in range(4):
        torch.manual_seed(seed)
        assert recomputations(tmp_path, Model(torch_coin)) == [None, None]
    assert any(any(recomputations(tmp_path, Model(torch_coin, preserve_rng_state=False))) for _ in range(8))


def test_autocast_is_preserved(tmp_path):
    class Casting(Model):
        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return super().forward(x)

    assert recomputations(tmp_path, Casting(autocast_inside)) == [None, None]


def python_coin(model, x):
    x = model.a(x)
    return torch.tanh(x) if random.random() < 0.5 else x * 2


@pytest.mark.parametrize("block, options", [(python_coin, {}), (torch_coin, {"preserve_rng_state": False})])
@pytest.mark.parametrize("reentrant", [True, False])
def test_a_function_that_agrees_with_itself_by_chance(block, options, reentrant, tmp_path):
    for seed in range(4):
        random.seed(seed)
        torch.manual_seed(seed)
        found = recorded(tmp_path, Model(block, use_reentrant=reentrant, **options), iterations=4)
        regions = [region for graph in (found, *found.get("further", ())) for region in graph["regions"]]
        assert any("recomputation" in region for region in regions)
        assert {region.get("mismatch") for region in regions} <= {None, "raises"}


def test_random_numbers_that_decide_nothing(tmp_path):
    def draws(model, x):
        return torch.tanh(model.a(x)) if random.random() < 2 else x

    assert recomputations(tmp_path, Model(draws)) == [None, None]
    assert recomputations(tmp_path, Model(torch_coin)) == [None, None]


def test_nothing_stays(tmp_path):
    model, x = Model(torch_coin, preserve_rng_state=False), torch.rand(3, 4)
    before = torch.get_rng_state()
    gradscan.record(model, x, tmp_path / "m.capture.json")
    assert model.count == 0 and torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
