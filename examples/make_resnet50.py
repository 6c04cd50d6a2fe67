"""Makes resnet50_with_cp.pt: ResNet-50 whose 16 bottlenecks are reentrant checkpoint regions, as a TorchScript file.

    python3 examples/make_resnet50.py [OUT.pt]

The network is the 50-layer one of "Deep Residual Learning for Image Recognition" (He et al. 2015, table 1) in its usual variant
with the stride in the 3x3 convolution: 161 parameters. Its checkpointing is that of detection code bases with `with_cp=True`:
everything in a bottleneck but its last ReLU is a region if the bottleneck's input requires grad.

The weights are all zero, and the zip's records are deflated: what matters here is the graph, which stays small that way.
Two runs with the same torch give the same bytes.
"""
import io
import json
import pickletools
import struct
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn

from gradscan_markers import Regions

STAGES = [(64, 3), (128, 4), (256, 6), (512, 3)]  # width of the 3x3 convolution, number of bottlenecks
EXPANSION = 4
IMAGE = (2, 3, 224, 224)


def no_checkpoint(function, x, **_):
    return function(x)


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride, name, checkpoint):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * EXPANSION)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != width * EXPANSION:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width * EXPANSION, 1, stride, bias=False),
                                            nn.BatchNorm2d(width * EXPANSION))
        self.name = name
        self.checkpoint = checkpoint

    def inner(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return out + (x if self.downsample is None else self.downsample(x))

    def forward(self, x):
        if x.requires_grad:
            out = self.checkpoint(self.inner, x, name=self.name, source=SOURCE)
        else:
            out = self.inner(x)
        return self.relu(out)


class ResNet50(nn.Module):
    """`checkpoint(function, x, name=..., source=...)` calls function(x) as a region."""

    def __init__(self, checkpoint=no_checkpoint):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for stage, (width, blocks) in enumerate(STAGES, start=1):
            layer = nn.Sequential()
            for block in range(blocks):
                stride = 2 if stage > 1 and block == 0 else 1
                layer.append(Bottleneck(channels, width, stride, f"layer{stage}.{block}", checkpoint))
                channels = width * EXPANSION
            self.add_module(f"layer{stage}", layer)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, len(STAGES) + 1):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def line_of(text):
    for number, line in enumerate(Path(__file__).read_text().splitlines(), start=1):
        if text in line:
            return f"{Path(__file__).name}:{number}"


SOURCE = line_of("self.checkpoint(self.inner")


def metadata(model):
    parameters = [name for name, _ in model.named_parameters()]
    return json.dumps({"schema": "gradscan-export/1", "torch": torch.__version__.split("+")[0], "parameters": parameters,
                       "inputs": [{"name": "x", "dtype": "float32", "shape": IMAGE, "requires_grad": False}]})


def with_relative_paths(pickled):
    """The same pickle; the paths among its strings lose the folder that this project or torch is in."""
    folders = [str(Path(file).parents[1]) + "/" for file in (torch.__file__, __file__)]
    operations = [(name.name, argument, position) for name, argument, position in pickletools.genops(pickled)]
    ends = [position for _, _, position in operations[1:]] + [len(pickled)]
    parts = []
    for (name, argument, position), end in zip(operations, ends):
        if name == "BINUNICODE":
            for folder in folders:
                argument = argument.removeprefix(folder)
            text = argument.encode()
            parts.append(b"X" + struct.pack("<I", len(text)) + text)
        else:
            parts.append(pickled[position:end])
    return b"".join(parts)


def deflate(archive):
    """The same zip with deflated records, and without the time and the folders of its making."""
    out = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            record = source.read(entry)
            if entry.filename.endswith(".debug_pkl"):
                record = with_relative_paths(record)
            target.writestr(zipfile.ZipInfo(entry.filename), record, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def make(out):
    model = ResNet50(Regions().checkpoint).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    # Tracing runs the model; the running statistics that it leaves behind stay those of a new model.
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    traced = torch.jit.trace(model, torch.zeros(IMAGE), check_trace=False)
    with torch.no_grad():
        for name, buffer in traced.named_buffers():
            buffer.copy_(buffers[name])
    archive = io.BytesIO()
    torch.jit.save(traced, archive, _extra_files={"gradscan.json": metadata(model)})
    archive.seek(0)
    Path(out).write_bytes(deflate(archive))


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("resnet50_with_cp.pt"))
