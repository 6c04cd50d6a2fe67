"""Time and memory of export() and record(), compared with one forward of the same model with and without checkpointing.

    python3 python/bench.py

Each measurement runs in a process of its own, with one thread. Seconds are CPU time. Memory is the peak, less what was in use
before the run.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

sys.path.insert(0, str(Path(__file__).resolve().parent))

import gradscan  # noqa: E402
from gradscan.intercept import intercepted  # noqa: E402

WAYS = ("plain", "forward", "record", "export")  # plain: the same model without checkpointing, as record and export run it


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 4 * width, 1, bias=False),
            nn.BatchNorm2d(4 * width),
        )
        self.shortcut = nn.Identity() if channels == 4 * width else nn.Conv2d(channels, 4 * width, 1, stride, bias=False)

    def forward(self, x):
        return torch.relu(checkpoint(self.inner, x, use_reentrant=True) + self.shortcut(x))


def resnet50():
    blocks, channels = [], 64
    for stage, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(count):
            blocks.append(Bottleneck(channels, width, 2 if stage and not block else 1))
            channels = 4 * width
    model = nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 1000),
    )
    return model, torch.rand(8, 3, 224, 224)


class Transformer(nn.Module):
    def __init__(self, width=512, layers=12):
        super().__init__()
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(width, 8, 4 * width, batch_first=True) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = checkpoint(layer, x, use_reentrant=True)
        return x


def transformer():
    return Transformer(), torch.rand(4, 256, 512)


class ManySmall(nn.Module):
    """5000 operations that compute next to nothing, so that the cost of observing each of them remains."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, x):
        for _ in range(2500):
            x = (x * self.weight).sin()
        return x


def many_small():
    return ManySmall(), torch.rand(4)


MODELS = {
    "ResNet-50, 8x3x224x224, 16 regions": resnet50,
    "Transformer, 12 x 512, 4x256, 12 regions": transformer,
    "5000 small operations": many_small,
}


def run(way, model, x, folder):
    if way == "forward":
        return model(x)  # the result keeps the graph until the peak has been read
    if way == "plain":
        with intercepted(lambda call: call.function(*call.args, **call.kwargs)):
            return model(x)
    file = os.path.join(folder, "m" + {"record": ".capture.json", "export": ".pt"}[way])
    return getattr(gradscan, way)(model, x, file, iterations=1)


def measure(name, way):
    """CPU seconds, after a first run that imports and compiles, and MB."""
    torch.set_num_threads(1)
    model, x = MODELS[name]()
    with tempfile.TemporaryDirectory() as folder:
        run(way, *MODELS["5000 small operations"](), folder)
        checkpoint(nn.Identity(), x, use_reentrant=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        kept = run(way, model, x, folder)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    del kept
    return f"{seconds:.3f} {(peak - before) / 1024:.0f}"


def main():
    print(f"{'model':44} {'way':8} {'seconds':>8} {'MB':>6} {'time':>7}")
    for name in MODELS:
        reference = None
        for way in WAYS:
            out = subprocess.run([sys.executable, __file__, name, way], capture_output=True, text=True, check=True).stdout
            seconds, megabytes = map(float, out.split())
            reference = reference or seconds
            print(f"{name:44} {way:8} {seconds:8.3f} {megabytes:6.0f} {seconds / reference:6.1f}x", flush=True)


if __name__ == "__main__":
    print(measure(*sys.argv[1:])) if len(sys.argv) > 1 else main()
