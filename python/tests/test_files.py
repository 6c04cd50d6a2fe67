"""What the files contain besides the graph, and the errors when they cannot be written."""

import json
import os
import random
import zipfile

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import gradscan


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(10, 4), nn.Linear(4, 10)
        self.head.weight = self.table.weight

    def forward(self, ids, mask=None, *, extras=None):
        hidden = self.table(ids) + (extras["shift"] if extras else 0)
        if mask is not None:
            hidden = hidden * mask[..., None]
        logits = self.head(hidden)
        return {"loss": logits.mean(), "logits": logits}


ARGS = (torch.tensor([[3, 7, 5]]),)
KWARGS = {"mask": torch.tensor([[True, True, False]]), "extras": {"shift": torch.rand(4), "label": "text"}}


def metadata(file):
    with zipfile.ZipFile(file) as archive:
        name = next(name for name in archive.namelist() if name.endswith("extra/gradscan.json"))
        return json.loads(archive.read(name))


def test_metadata(tmp_path):
    gradscan.export(
        Model(), ARGS, tmp_path / "m.pt", kwargs=KWARGS, loss=lambda output: output["loss"], static_graph=True, bucket_cap_mb=7
    )
    found = metadata(tmp_path / "m.pt")
    assert found["schema"] == "gradscan-export/1"
    assert found["gradscan"] == gradscan.__version__
    assert found["torch"] == torch.__version__.split("+")[0]
    assert found["ddp"] == {"find_unused_parameters": False, "static_graph": True, "bucket_cap_mb": 7}
    assert found["parameters"] == [{"name": "table.weight", "ddp_name": "head.weight"}, "head.bias"]
    values = [put.pop("values", None) for put in found["inputs"]]
    assert [value is None for value in values] == [False, False, True]
    assert found["inputs"] == [
        {"name": "ids", "dtype": "int64", "shape": [1, 3], "requires_grad": False, "range": [3, 7]},
        {"name": "mask", "dtype": "bool", "shape": [1, 3], "requires_grad": False},
        {"name": "extras_shift", "dtype": "float32", "shape": [4], "requires_grad": False},
    ]
    assert [output["path"] for output in found["outputs"]] == ["output['loss']", "output['logits']"]
    assert found["loss"] == ["output['loss']"]


def test_no_option_is_needed(scan, tmp_path):
    for write, file in ((gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")):
        write(Model(), ARGS, tmp_path / file, kwargs=KWARGS, loss=lambda output: output["loss"], find_unused_parameters=True)
        report = scan(str(tmp_path / file))
        assert report["setup"]["find_unused_parameters"]
        assert [output["in_loss"] for output in report["outputs"]] == [True, False]


WAYS = [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")]


@pytest.mark.parametrize(("write", "file"), WAYS)
def test_all_regions_are_known(scan, tmp_path, write, file):
    write(Model(), ARGS, tmp_path / file)
    report = scan(str(tmp_path / file))
    assert report["regions_known"] and not report["regions"]
    assert report["findings"] == []


class Dropping(nn.Module):
    """Drops layers, by an attribute of its own or of a configuration that all modules share."""

    def __init__(self, layerdrop=0.0, config=None):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.layerdrop, self.config, self.inner.config = layerdrop, config, config

    def forward(self, x):
        return self.inner(x)


class Configuration:
    encoder_layerdrop, decoder_layerdrop = 0.2, 0.0


class Tossing(Dropping):
    def forward(self, x):
        return self.inner(x) if random.random() < 2 else x


@pytest.mark.parametrize(("write", "file"), WAYS)
@pytest.mark.parametrize(
    ("model", "varying"),
    [
        (nn.Sequential(Dropping(0.1), Dropping()), ["0 has layerdrop=0.1"]),
        (nn.Sequential(Dropping(config=Configuration())), ["0 has encoder_layerdrop=0.2"]),
        (nn.Sequential(Dropping(0.1)).eval(), []),
        (Dropping(0.1), ["Dropping has layerdrop=0.1"]),
        (Tossing(), ["forward draws Python's random numbers"]),
    ],
)
def test_varying(scan, tmp_path, write, file, model, varying):
    write(model, (torch.rand(2, 4),), tmp_path / file)
    report = scan(str(tmp_path / file))
    assert report.get("dropping", []) + report["varying"] == varying


def test_a_wrapped_model_is_unwrapped(scan, tmp_path, process_group):
    ddp = DistributedDataParallel(Model(), find_unused_parameters=True, bucket_cap_mb=3)
    for write, file in ((gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")):
        write(ddp, ARGS, tmp_path / file)
        report = scan(str(tmp_path / file))
        assert report["setup"]["find_unused_parameters"] and report["setup"]["bucket_cap_mb"] == 3
        assert [parameter["name"] for parameter in report["parameters"]] == ["table.weight", "head.bias"]


def test_parameters_that_ddp_ignores(scan, tmp_path):
    model = Model()
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, ["head.bias"])
    gradscan.record(model, ARGS, tmp_path / "m.capture.json")
    assert [parameter["name"] for parameter in scan(str(tmp_path / "m.capture.json"))["parameters"]] == ["table.weight"]
    with pytest.raises(gradscan.Error, match="ignore list, such as head.bias.*use gradscan.record"):
        gradscan.export(model, ARGS, tmp_path / "m.pt")


def test_inputs_with_a_history(scan, tmp_path):
    x = torch.rand(3, 4, requires_grad=True) * 2
    for write, file in ((gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")):
        write(nn.Linear(4, 4), x, tmp_path / file)
        assert scan(str(tmp_path / file))["inputs"][0]["requires_grad"]


def nothing_is_left(tmp_path):
    return not list(tmp_path.iterdir())


@pytest.mark.parametrize("write, file", [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")])
def test_errors(write, file, tmp_path):
    for args, model, words in [
        (3, nn.Linear(4, 4), "args is a int: pass forward.s positional arguments as a tuple"),
        ((torch.rand(4), torch.rand(4)), nn.Linear(4, 4), "Linear.forward does not accept these arguments"),
        ((torch.rand(4),), nn.Linear(4, 4).requires_grad_(False), "Linear has no parameter that requires grad"),
    ]:
        with pytest.raises(gradscan.Error, match=words):
            write(model, args, tmp_path / file)
    with pytest.raises(gradscan.Error, match="cannot be written .No such file or directory.: choose an existing folder"):
        write(nn.Linear(4, 4), torch.rand(4), tmp_path / "missing" / file)
    with pytest.raises(gradscan.Error, match="does not return a tensor that requires grad"):
        write(nn.Linear(4, 4), torch.rand(4), tmp_path / file, loss=lambda output: output.detach())
    with pytest.raises(gradscan.Error, match="does not depend on any of forward's outputs"):
        write(nn.Linear(4, 4), torch.rand(4), tmp_path / file, loss=lambda output: torch.ones(1, requires_grad=True).sum())
    assert nothing_is_left(tmp_path)


class WithoutVocabulary(nn.Linear):
    def forward(self, x):
        open("/nowhere/vocabulary.txt")


def test_an_error_of_forward_is_no_error_of_writing(tmp_path):
    for write, file in WAYS:
        with pytest.raises(FileNotFoundError, match="vocabulary.txt"):
            write(WithoutVocabulary(4, 4), torch.rand(4), tmp_path / file)
    assert nothing_is_left(tmp_path)


def test_an_error_of_forward_is_no_error_of_tracing(tmp_path):
    for write, file in WAYS:
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied") as raised:
            write(nn.Linear(4, 4), torch.rand(3, 5), tmp_path / file)
        assert not isinstance(raised.value, gradscan.Error)
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("name", ["model", ".model", "model.of.mine", "名.pt"])
def test_an_export_may_have_any_name(name, scan, tmp_path):
    gradscan.export(nn.Linear(4, 4), torch.rand(4), tmp_path / name)
    assert scan(str(tmp_path / name))["verdict"]["outcome"] == "pass"


@pytest.mark.parametrize("name", ["in", "class", "None", "名"])
def test_names_that_torchscript_cannot_load(name, scan, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential())
    model[1].add_module(name, nn.Linear(4, 4))
    with pytest.raises(gradscan.TracingError, match=f"Sequential has 1.{name}, a name that TorchScript.*use gradscan.record"):
        gradscan.export(model, torch.rand(4), tmp_path / "m.pt")
    assert nothing_is_left(tmp_path)
    gradscan.record(model, torch.rand(4), tmp_path / "m.capture.json")
    assert scan(str(tmp_path / "m.capture.json"))["parameters"][2]["name"] == f"1.{name}.weight"


@pytest.mark.parametrize("name", ["from", "try", "out", "a b", "x/y", "self", "1"])
def test_names_that_torchscript_can_load(name, scan, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.ModuleDict({name: nn.Linear(4, 4)}))
    model.forward = lambda x: model[1][name](model[0](x))
    gradscan.export(model, torch.rand(4), tmp_path / "m.pt")
    assert scan(str(tmp_path / "m.pt"))["parameters"][2]["name"] == f"1.{name}.weight"


class Modèle(nn.Linear):
    def forward(self, entrée, größe, 名):
        return super().forward(entrée) + größe + 名


def test_names_in_python_that_torchscript_cannot_load(scan, tmp_path):
    gradscan.export(Modèle(4, 4), (torch.rand(4),) * 3, tmp_path / "m.pt")
    assert [put["name"] for put in scan(str(tmp_path / "m.pt"))["inputs"]] == ["entr_e", "gr_e", "input"]
    with pytest.raises(gradscan.TracingError, match="Sequential has Modèle, a name that TorchScript.*use gradscan.record"):
        gradscan.export(nn.Sequential(Modèle(4, 4)), torch.rand(4), tmp_path / "m.pt")


def test_an_export_is_not_named_like_a_capture(tmp_path):
    with pytest.raises(gradscan.Error, match="takes a file of this name for a capture"):
        gradscan.export(nn.Linear(4, 4), torch.rand(4), tmp_path / "m.capture.json")
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(("write", "file"), WAYS)
def test_what_already_exists(write, file, tmp_path):
    target, link = tmp_path / f"target-{file}", tmp_path / file
    target.write_text("old")
    link.symlink_to(target)
    write(nn.Linear(4, 4), torch.rand(4), link)
    assert link.is_symlink() and target.read_bytes() != b"old"
    link.unlink()
    link.mkdir()
    with pytest.raises(gradscan.Error, match="exists and is not a regular file"):
        write(nn.Linear(4, 4), torch.rand(4), link)
    link.rmdir()
    os.mkfifo(link)
    with pytest.raises(gradscan.Error, match="exists and is not a regular file"):
        write(nn.Linear(4, 4), torch.rand(4), link)


def test_the_name_of_a_capture(tmp_path):
    with pytest.raises(gradscan.Error, match="choose one that ends in .capture.json"):
        gradscan.record(nn.Linear(4, 4), torch.rand(4), tmp_path / "m.json")
    assert nothing_is_left(tmp_path)


class Unregistered(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.hidden = [nn.Linear(4, 4)]

    def forward(self, x):
        return self.hidden[0](self.a(x))


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, x):
        if torch.jit.is_tracing():
            raise NotImplementedError("no tracing here")
        return self.a(x)


@pytest.mark.parametrize(
    "model, words",
    [
        (Unregistered(), "uses a tensor that requires grad and that the tracer does not know.*use gradscan.record"),
        (Untraceable(), r"Untraceable cannot be traced \(no tracing here\): use gradscan.record"),
    ],
)
def test_what_cannot_be_traced_can_be_recorded(model, words, scan, tmp_path):
    with pytest.raises(gradscan.TracingError, match=words):
        gradscan.export(model, torch.rand(3, 4), tmp_path / "m.pt")
    assert nothing_is_left(tmp_path)
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    assert scan(str(tmp_path / "m.capture.json"))["verdict"]["outcome"] == "pass"


class Unusual(nn.Module):
    """Its input and buffer are of kinds for which torch has few operations."""

    def __init__(self, buffer, device="cpu"):
        super().__init__()
        self.a = nn.Linear(4, 4, device=device)
        self.register_buffer("numbers", buffer)

    def forward(self, x, ids):
        return self.a(x)


@pytest.mark.parametrize("write, file", WAYS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.uint32, torch.uint64])
def test_unsigned_inputs(write, file, dtype, tmp_path):
    write(Unusual(torch.eye(3)), (torch.rand(3, 4), torch.tensor([3, 7]).to(dtype)), tmp_path / file)
    if file == "m.pt":
        assert metadata(tmp_path / file)["inputs"][1].get("range") == [3, 7]


class Taking(nn.Linear):
    """Its second argument has no influence."""

    def forward(self, x, numbers):
        return super().forward(x)


SIGNED = [torch.int8, torch.int16, torch.int32, torch.int64]
UNSIGNED = [torch.uint8, torch.uint16, torch.uint32, torch.uint64]


@pytest.mark.parametrize(
    "numbers",
    [
        *(torch.tensor([[-100, 3], [99, -1]], dtype=dtype) for dtype in SIGNED),
        *(torch.tensor([[0, 3], [255, 1]]).to(dtype) for dtype in UNSIGNED),
        torch.tensor([2**62, -(2**62)]),
        torch.tensor([[True, False, True]]),
        torch.arange(24).reshape(2, 3, 4).transpose(0, 2)[::2],
        torch.tensor(7),
        torch.empty(2, 0, dtype=torch.int64),
        torch.tensor([1]).expand(100, 100),
    ],
)
def test_values_of_integers_and_booleans(numbers, tmp_path):
    gradscan.export(Taking(4, 4), (torch.rand(3, 4), numbers), tmp_path / "m.pt")
    found = metadata(tmp_path / "m.pt")
    assert "values" not in found["inputs"][0] and found["notes"] == []
    assert found["inputs"][1]["dtype"] == str(numbers.dtype).removeprefix("torch.")
    assert found["inputs"][1]["values"] == numbers.flatten().tolist()


TOO_MANY = [(torch.tensor([-100, 98]).repeat(2**17), "-100 and 98"), (torch.rand(2**18) < 0.5, "0 and 1")]


@pytest.mark.parametrize("numbers, range", TOO_MANY)
def test_values_that_are_too_many(numbers, range, tmp_path):
    gradscan.export(Taking(4, 4), (torch.rand(3, 4), numbers), tmp_path / "m.pt", iterations=1)
    found = metadata(tmp_path / "m.pt")
    assert "values" not in found["inputs"][1]
    assert found["notes"] == [f"the values of numbers are too many for the file: {range} stand for them"]


@pytest.mark.parametrize("write, file", WAYS)
def test_meta_tensors(write, file, tmp_path):
    model = Unusual(torch.zeros(3, device="meta"), "meta")
    write(model, (torch.rand(3, 4, device="meta"), torch.zeros(2, dtype=torch.int64, device="meta")), tmp_path / file)


@pytest.mark.parametrize("write, file", WAYS)
def test_what_is_not_a_trainable_model(write, file, tmp_path, process_group):
    x = torch.rand(3, 4)
    around = nn.Sequential(DistributedDataParallel(nn.Linear(4, 4)))
    for model, args, options, words in [
        (lambda x: x, x, {}, "the model is a function: pass a torch.nn.Module"),
        (nn.Sequential(nn.LazyLinear(4)), x, {}, "the shape of 0.weight yet: run one forward first"),
        (around, x, {}, "contains a DistributedDataParallel, 0: pass that module"),
        (nn.Linear(4, 4), (), {}, "does not accept these arguments .missing a required argument"),
        (nn.Linear(4, 4), x, {"bucket_cap_mb": 0}, "bucket_cap_mb is 0: pass a positive number"),
        (nn.Linear(4, 4), x, {"loss": lambda output: output["loss"]}, "the loss function fails .*: pass one that accepts"),
    ]:
        with pytest.raises(gradscan.Error, match=words):
            write(model, args, tmp_path / file, **options)
        assert not (tmp_path / file).exists()
    with torch.inference_mode(), pytest.raises(gradscan.Error, match="under torch.inference_mode"):
        write(nn.Linear(4, 4), x, tmp_path / file)
    with pytest.raises(gradscan.Error):
        write(nn.Linear(4, 4), x, "")


def test_a_compiled_model_is_the_one_inside(scan, tmp_path, process_group):
    ddp = DistributedDataParallel(nn.Linear(4, 4), find_unused_parameters=True)
    inside = DistributedDataParallel(torch.compile(nn.Linear(4, 4), backend="eager"))
    for model in (torch.compile(ddp, backend="eager"), inside):
        gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
        report = scan(str(tmp_path / "m.capture.json"))
        assert [parameter["name"] for parameter in report["parameters"]] == ["weight", "bias"]
        assert report["setup"]["find_unused_parameters"] == (not isinstance(model, DistributedDataParallel))
