"""Models whose checkpoint regions are measured, see measure.py.

A model calls run(name, function, *args) for what is a checkpoint region. Every name is that of one call.
"""
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

CASES = {}


@dataclass
class Case:
    model: type
    shapes: list
    kinds: dict = field(default_factory=dict)  # of regions that are not reentrant as given


def case(*shapes, **kinds):
    def add(model):
        CASES[model.__name__] = Case(model, shapes, kinds)
        return model

    return add


@case((6, 8))
class Mlp(nn.Module):
    """Regions that end in a matrix product, in a ReLU and in a view."""

    def __init__(self, run):
        super().__init__()
        self.run, self.stem, self.head = run, nn.Linear(8, 16), nn.Linear(4, 3)
        self.a, self.b, self.c, self.d = nn.Linear(16, 24), nn.Linear(24, 20), nn.Linear(20, 16), nn.Linear(16, 12)

    def forward(self, x):
        x = self.stem(x)
        x = self.run("linear_last", lambda x: self.b(torch.tanh(self.a(x))), x)
        x = self.run("relu_last", lambda x: F.relu(self.c(x)), x)
        x = self.run("view_last", lambda x: self.d(F.gelu(x)).view(18, 4), x)
        return self.head(x)


@case((2, 6, 9, 9))
class Convolutions(nn.Module):
    """Groups, a stride, a transposed convolution, one of a single dimension; one is the last of its region."""

    def __init__(self, run):
        super().__init__()
        self.run, self.stem = run, nn.Conv2d(6, 8, 3)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=4)
        self.strided = nn.Conv2d(12, 6, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2)
        self.line = nn.Conv1d(4, 5, 3, dilation=2)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = self.run("grouped", lambda x: self.strided(F.relu(self.grouped(x))), x)
        x = self.run("transposed", lambda x: torch.sigmoid(self.up(F.relu(x))), x)
        return self.run("line", lambda x: self.line(x.flatten(2)), x)


class Bottleneck(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def inner(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn3(self.conv3(self.relu(self.bn2(self.conv2(x)))))


@case((2, 3, 10, 10))
class Residual(nn.Module):
    """Batch normalisation, ReLU in place, sums; neighbours share storages."""

    def __init__(self, run):
        super().__init__()
        self.run, self.stem, self.pool = run, nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)
        self.blocks = nn.ModuleList(Bottleneck(8, 4) for _ in range(3))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(self.stem(x))
        for k, block in enumerate(self.blocks):
            x = block.relu(self.run(f"block{k}", lambda x, block=block: block.inner(x) + x, x))
        return self.head(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attention(self, x):
        q, k, v = self.qkv(x).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)

    def forward(self, x):
        x = x + self.proj(self.attention(self.norm1(x)))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


@case((2, 7, 12))
class Transformer(nn.Module):
    """A region that ends in attention, and whole blocks."""

    def __init__(self, run):
        super().__init__()
        self.run, self.stem = run, nn.Linear(12, 16)
        self.blocks = nn.ModuleList(Block(16, 2) for _ in range(3))

    def forward(self, x):
        x = self.stem(x)
        x = x + self.run("attention", self.blocks[0].attention, x)
        for k, block in enumerate(self.blocks[1:]):
            x = self.run(f"block{k}", block, x)
        return x


@case((3, 5, 8))
class ByHand(nn.Module):
    """Attention as two batched matrix products."""

    def __init__(self, run):
        super().__init__()
        self.run, self.q, self.k, self.v = run, nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 6)

    def forward(self, x):
        q, k, v = self.q(x), self.k(x), self.v(x)
        weights = self.run("scores", lambda q, k: torch.bmm(q, k.transpose(1, 2)).softmax(-1), q, k)
        return self.run("values", torch.bmm, weights, v)


@case((4, 10))
class Shared(nn.Module):
    """One weight in two regions and outside."""

    def __init__(self, run):
        super().__init__()
        self.run, self.layer = run, nn.Linear(10, 10)

    def forward(self, x):
        x = F.relu(self.layer(x))
        x = self.run("first", lambda x: torch.tanh(self.layer(x)), x)
        x = self.run("second", lambda x: torch.tanh(self.layer(x)), x)
        return self.layer(x)


class Deep(nn.Module):
    """Regions in regions, three deep, two of them side by side; work before, between and behind them."""

    def __init__(self, run):
        super().__init__()
        self.run, self.layers = run, nn.ModuleList(nn.Linear(8 + 2 * k, 10 + 2 * k) for k in range(8))

    def middle(self, x):
        x = torch.tanh(self.layers[2](x))
        x = self.run("core", lambda x: torch.sigmoid(self.layers[3](x)), x)
        return self.layers[4](x)

    def outer(self, x):
        x = torch.tanh(self.layers[1](x))
        x = self.run("middle", self.middle, x)
        return self.run("end", lambda x: F.gelu(self.layers[5](x)), x)

    def forward(self, x):
        x = F.relu(self.layers[0](x))
        x = self.run("outer", self.outer, x)
        return self.layers[7](F.relu(self.layers[6](x)))


@case((3, 8))
class Nested(Deep):
    pass


@case((3, 8), outer="non_reentrant", core="non_reentrant")
class NestedMixed(Deep):
    """Reentrant ones inside of a non-reentrant one, and the reverse."""


@case((3, 8), outer="reentrant", middle="off", core="non_reentrant")
class NestedOff(Deep):
    """One in between is not checkpointed."""


class Adapted(nn.Module):
    """A frozen linear layer with a low-rank update, as LoRA has it."""

    def __init__(self, width, rank):
        super().__init__()
        self.base = nn.Linear(width, width).requires_grad_(False)
        self.down, self.up = nn.Linear(width, rank, bias=False), nn.Linear(rank, width, bias=False)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


@case((4, 6))
class LowRank(nn.Module):
    """A frozen base: no region has an argument that requires grad, so that reentrant ones are never recomputed."""

    def __init__(self, run):
        super().__init__()
        self.run, self.stem, self.head = run, nn.Linear(6, 12), nn.Linear(12, 2)
        self.stem.requires_grad_(False)
        self.layers = nn.ModuleList(Adapted(12, 3) for _ in range(3))

    def forward(self, x):
        x = F.relu(self.stem(x))
        for k, layer in enumerate(self.layers):
            x = self.run(f"layer{k}", lambda x, layer=layer: F.gelu(layer(x)), x)
        return self.head(x)


@case((4, 6))
class FrozenTrunk(nn.Module):
    """A region in which nothing is trained."""

    def __init__(self, run):
        super().__init__()
        self.run, self.trunk = run, nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()).requires_grad_(False)
        self.stem, self.head = nn.Linear(8, 9), nn.Linear(9, 3)

    def forward(self, x):
        x = self.run("trunk", self.trunk, x)
        x = F.relu(self.stem(x))
        return self.run("head", lambda x: self.head(torch.tanh(x)), x)


@case((5, 8))
class Dropped(nn.Module):
    """Dropout saves a mask; a region may end in it."""

    def __init__(self, run):
        super().__init__()
        self.run, self.a, self.b, self.drop = run, nn.Linear(8, 12), nn.Linear(12, 8), nn.Dropout(0.3)

    def forward(self, x):
        x = F.relu(self.a(x))
        x = self.run("dropped", lambda x: self.drop(self.b(self.drop(x))), x)
        return self.run("sum", lambda x: (self.b(torch.tanh(self.a(x))) + x).view(-1), x)


@case((4, 6), (4, 7))
class Several(nn.Module):
    """Several inputs and outputs; one argument is an input of the model; a closure; storages that regions share."""

    def __init__(self, run):
        super().__init__()
        self.run, self.a, self.b = run, nn.Linear(6, 10), nn.Linear(7, 10)
        self.c, self.d = nn.Linear(10, 10), nn.Linear(20, 4)

    def forward(self, x, y):
        p, q = torch.tanh(self.a(x)), torch.tanh(self.b(y))
        s, t = self.run("two", lambda p, q, x: (p * q, self.c(p) * torch.sigmoid(q) + x.sum()), p, q, x)
        u = self.run("product", lambda s, t: s * t, s, t)
        outer = p.detach()
        v = self.run("closure", lambda u: torch.cat([u * outer, torch.exp(u)], 1), u)
        return self.d(v), s.mean()


@case((3, 2, 8, 8))
class Mixed(nn.Module):
    """Work outside of regions between them, under no_grad too; an output that the loss does not depend on is none of theirs."""

    def __init__(self, run):
        super().__init__()
        self.run, self.conv, self.norm = run, nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4)
        self.score, self.a, self.b = nn.Linear(4, 4), nn.Linear(36, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = F.silu(self.norm(self.conv(x)))
        with torch.no_grad():
            weights = self.score(x.mean((2, 3))).softmax(-1)
        x = self.run("weighted", lambda x, w: (x * w[:, :, None, None]).flatten(2), x, weights)
        return self.run("tail", lambda x: F.log_softmax(self.b(F.relu(self.a(x))), -1), x)


@case((3, 2, 6, 6))
class Quiet(nn.Module):
    """A region that saves nothing but its argument, one without work, and frozen work under no_grad inside of one."""

    def __init__(self, run):
        super().__init__()
        self.run, self.conv, self.guide, self.head = run, nn.Conv2d(2, 3, 3), nn.Conv2d(3, 3, 1), nn.Linear(16, 2)

    def guided(self, x):
        with torch.no_grad():
            mask = torch.sigmoid(self.guide(x))
        return torch.tanh(x * mask)

    def forward(self, x):
        x = self.conv(x)
        x = self.run("double", lambda x: x + x, x)
        x = self.run("guided", self.guided, x)
        return self.head(self.run("flat", lambda x: x.flatten(2), x))
