"""Makes the TorchScript models of tests/capture/capture_model_test.cpp, each with what Python's own torch says of it.

    python3 tests/models/make_models.py FOLDER

NAME.pt is the model, NAME.json what was measured with the eager model that it was made from: `parameters` (every name of every
parameter, grouped by parameter), `ops` (how often each kind of autograd node stands in the graph, accumulators left out; only
where no region boundary stands in it), `saved` (bytes of the storages that are saved for backward, parameters left out),
`flops` (of forward), `firings` (of each parameter's hook when the regions really are reentrant checkpoints).
"""
import collections
import json
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from gradscan_markers import Regions, gradscan_region_begin, gradscan_requires_grad  # noqa: E402


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x):
        return self.b(torch.relu(self.a(x))) + x


class Plain(nn.Module):
    """Parameters of its own that are registered behind those of submodules, a shared one, a buffer, a module called twice."""

    def __init__(self):
        super().__init__()
        self.block = Block()
        self.head = nn.Linear(4, 4)
        self.head.weight = self.block.a.weight
        self.scale = nn.Parameter(torch.ones(4))
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("offset", torch.ones(4))

    def forward(self, x):
        return self.head(self.block(self.block(self.norm(x * self.scale)))) + self.offset


class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(Block() for _ in range(3))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return x


class InPlaceOnView(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x):
        y = self.a(x) * x
        first = y[:, :2]
        first.mul_(3)
        second = y[:, 1:3]
        second.add_(first)
        return self.b(torch.relu_(y)) + first.sum() * second.sum()


class InPlaceInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 4)
        self.inner = InPlaceOnView()

    def forward(self, x):
        return torch.relu_(self.inner(self.stem(x)))


class Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 4)
        self.rnn = nn.LSTM(4, 4, batch_first=True)

    def forward(self, ids):
        out, (hidden, _) = self.rnn(self.table(ids))
        return {"out": out, "hidden": hidden}


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


class Containers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)

    def forward(self, xs: List[torch.Tensor], by_name: Dict[str, torch.Tensor]):
        y = self.a(xs[0]) + xs[1]
        return Pair(y, by_name["z"] * y), [y.detach()], self.a.bias


class Checkpointed(nn.Module):
    """`checkpoint` is called as torch's, with the region's name and source behind."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.stem = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(4, 4)
        self.shift = nn.Parameter(torch.ones(4))

    def inner(self, x):
        return self.run(self.blocks[1], x, name="blocks.1")

    def forward(self, x):
        shift = self.shift + 1
        x = self.run(self.blocks[0], self.stem(x), name="blocks.0")
        x = self.run(self.inner, x, name="inner")
        x = self.run(self.blocks[0], x, name="blocks.0")
        x = self.run(lambda t: t + shift, x, name="closure")
        return self.head(x)


class WantsGrad(nn.Module):
    def __init__(self, run, require_grad):
        super().__init__()
        self.run = run
        self.require_grad = require_grad
        self.block = Block()
        self.head = nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.run(self.block, self.require_grad(x * 2), name="block"))


class InSource(nn.Module):
    """Non-reentrant regions as a trainer writes them."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.rnn = nn.LSTM(4, 4)
        self.head = nn.Linear(4, 4)

    def inner(self, x):
        return torch.tanh(self.blocks[0](x)) * 2

    def nested(self, x):
        return checkpoint(self.blocks[1], x * 2, use_reentrant=False)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False)
        x = checkpoint(self.inner, x, use_reentrant=False)
        x = checkpoint(self.blocks[0], x, use_reentrant=False)
        x = checkpoint(self.nested, x, use_reentrant=False)
        x = checkpoint(self.rnn, x, use_reentrant=False)[0]
        return self.head(x)


class Tied(nn.Module):
    """The head shares the table's weight: the tracer hands it to the head's forward like an argument."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.table = nn.Embedding(10, 4)
        self.block = Block()
        self.head = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 10))
        self.head[1].weight = self.table.weight

    def forward(self, ids):
        return self.run(self.head, self.block(self.table(ids)))


class Borrowing(nn.Module):
    """The head is called with the table's weight."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.table = nn.Embedding(10, 4)
        self.stem = nn.Linear(4, 4)
        self.head = nn.Bilinear(4, 4, 4)

    def forward(self, ids):
        return self.run(self.head, self.stem(self.table(ids[:10])), self.table.weight)


class Forked(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x):
        future = torch.jit.fork(self.a, x)
        return self.b(x) + torch.jit.wait(future)


class OnDevice(nn.Module):
    def __init__(self, name: str):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.name = name
        self.device = torch.device(name)

    def forward(self, x):
        y = self.a(x.to(self.device)) + torch.zeros(4, device="cuda:0")
        return y.to("cuda").to(torch.device(self.name, 1)).cuda() * x


class Repeated(nn.Module):
    """One module under two names, and two modules with one weight."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = self.a
        self.c = nn.Linear(4, 4, bias=False)
        self.d = nn.Linear(4, 4, bias=False)
        self.d.weight = self.c.weight

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x))))


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), checkpoint_wrapper(Block()), nn.Linear(4, 4))

    def forward(self, x):
        return self.layers(x)


def of_library(name: str):
    """The class gets the name of a library's class, which the file then has."""

    def renamed(kind):
        kind.__module__, _, kind.__name__ = name.rpartition(".")
        kind.__qualname__ = kind.__name__
        return kind

    return renamed


@of_library("timm.models.vision_transformer.VisionTransformer")
class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.head = nn.Sequential(Block())

    def forward(self, x):
        return self.head(self.blocks(x))


@of_library("mmcv.cnn.resnet.Bottleneck")
class Bottleneck(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        return self.block(x)


class OfLibraries(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.run = run
        self.first, self.second = Bottleneck(), Bottleneck()  # the first one's input does not require grad
        self.trunk = Trunk()

    def forward(self, x):
        return self.run(self.trunk, self.second(self.first(x)), name="trunk")


def plain_run(function, *args, name=""):
    return function(*args)


def reentrant_run(function, *args, name=""):
    return checkpoint(function, *args, use_reentrant=True)


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    return [tensor for element in value for tensor in tensors_in(element)]


def loss_of(result):
    return sum(tensor.sum() for tensor in tensors_in(result) if tensor.requires_grad)


def names_of(model):
    names = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return list(names.values())


def ddp_names_of(model):
    """As DistributedDataParallel names parameters in its errors: by their last name in named_modules()."""
    names = {}
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            names[parameter] = f"{path}.{name}"
    return [names[parameter] for parameter in model.parameters()]


def ops_of(result):
    seen, stack, ops = set(), [t.grad_fn for t in tensors_in(result) if t.grad_fn], collections.Counter()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() != "torch::autograd::AccumulateGrad":
            ops[node.name()] += 1
        stack += [next_node for next_node, _ in node.next_functions if next_node]
    return ops


def saved_by(model, args):
    alive = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers(), *tensors_in(args)]}
    storages, kept = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept.append(storage)  # an address is only used again when nobody holds it
        if storage.data_ptr() not in alive:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = model(*args)
    return sum(storages.values()), result


def firings_of(model, args):
    counts = {name: 0 for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        def count(_, name=name):
            counts[name] += 1
        parameter.register_post_accumulate_grad_hook(count)
    loss_of(model(*args)).backward()
    return list(counts.values())


def measure(model, args, expected):
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        model(*args)
    saved, result = saved_by(model, args)
    return {"parameters": names_of(model), "ops": ops_of(result), "saved": saved, "flops": flops.get_total_flops(), **expected}


def write(folder, name, model, args, script, eager=None, **expected):
    torch.manual_seed(0)
    file = torch.jit.script(model) if script else torch.jit.trace(model, args, check_trace=False, strict=False)
    file.save(str(folder / f"{name}.pt"))
    (folder / f"{name}.json").write_text(json.dumps(measure(eager or model, args, expected), indent=1))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    x = torch.rand(3, 4)
    for script in (False, True):
        how = "scripted" if script else "traced"
        write(folder, f"plain_{how}", Plain(), (x,), script)
        write(folder, f"looped_{how}", Looped(), (x,), script)
        write(folder, f"in_place_{how}", InPlaceInside(), (x,), script)
    write(folder, "embedded", Embedded(), (torch.zeros(2, 3, dtype=torch.int64),), False)
    write(folder, "containers", Containers(), ([x, x], {"z": x}), True)
    marked, eager = Checkpointed(Regions().checkpoint), Checkpointed(plain_run)
    write(folder, "marked", marked, (x,), False, eager, firings=firings_of(Checkpointed(reentrant_run), (x,)))
    wants = WantsGrad(Regions().checkpoint, lambda t: gradscan_requires_grad(t.requires_grad_()))
    wants_eager = WantsGrad(reentrant_run, lambda t: t.requires_grad_())
    write(folder, "requires_grad", wants, (x,), False, WantsGrad(plain_run, lambda t: t.requires_grad_()),
          firings=firings_of(wants_eager, (x,)))
    write(folder, "in_source", InSource(), (x,), False)
    write(folder, "wrapped", Wrapped(), (x,), False)
    write(folder, "of_libraries", OfLibraries(plain_run), (x,), False)
    write(folder, "of_libraries_marked", OfLibraries(Regions().checkpoint), (x,), False, OfLibraries(plain_run))
    ids = torch.arange(10)
    for name, model in ("tied", Tied), ("borrowing", Borrowing):
        write(folder, name, model(plain_run), (ids,), False, firings=firings_of(model(reentrant_run), (ids,)))
    write(folder, "forked_scripted", Forked(), (x,), True)
    torch.jit.script(OnDevice("cuda")).save(str(folder / "on_device_scripted.pt"))
    for script in (False, True):
        how = "scripted" if script else "traced"
        write(folder, f"repeated_{how}", Repeated(), (x,), script, ddp=ddp_names_of(Repeated()))
    unended = nn.Linear(4, 4)
    unended.forward = lambda t: nn.functional.linear(gradscan_region_begin("{}", [t])[1], unended.weight)
    torch.jit.trace(unended, x, check_trace=False).save(str(folder / "bad_marker.pt"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
