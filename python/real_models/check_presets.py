"""Whether a preset of gradscan predicts, from a plain model, what its library does when checkpointing is switched on.

    real_models/setup && GRADSCAN=.../gradscan .venv-real/bin/python3 real_models/check_presets.py [docs/presets.md [NAME...]]

For each model, a torch.jit.trace of the plain model, scanned with --checkpoint PRESET, is compared with gradscan.record of the
same model with the library's own checkpointing: the number of regions, the kind and nesting of each, the parameters used in
each, and every verdict. Where the library's region is only a part of the call that the preset selects, the table says how many
more parameters the preset's region has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
warnings.filterwarnings("ignore")

import models  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

import gradscan  # noqa: E402


@dataclass(frozen=True)
class Case:
    preset: str
    make: Callable[[bool], nn.Module]  # with the library's own checkpointing or without
    inputs: Callable[[], tuple[Any, ...]] = lambda: (torch.rand(2, 3, 32, 32),)
    export: bool = False  # use gradscan.export: a plain trace loses that forward makes its input require grad


class Plain(nn.Module):
    """Takes tensors as positional arguments and returns tensors, as a trace requires."""

    def __init__(self, model, *names, result=None):
        super().__init__()
        self.model, self.names, self.result = model, names, result

    def forward(self, *tensors):
        result = self.model(**dict(zip(self.names, tensors, strict=True)))
        return result[self.result] if self.result else result


def hugging_face(make, *names, result="last_hidden_state"):
    def case(on):
        model = make("off")
        if on:
            model.gradient_checkpointing_enable()
        return Plain(model, *names, result=result)

    return case


def timm_model(name, **options):
    def make(on):
        import timm

        model = timm.create_model(name, num_classes=5, **options).train()
        model.set_grad_checkpointing(on)
        return model

    return make


def densenet(on):
    from torchvision.models import DenseNet

    return DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, num_classes=5, memory_efficient=on).train()


def densenet_with_frozen_stem(on):
    model = densenet(on)
    for module in (model.features.conv0, model.features.norm0):
        module.requires_grad_(False)
    return model


def mmcv_resnet(depth, frozen_stages=-1):
    def make(on):
        from mmcv.cnn import ResNet

        model = ResNet(
            depth, out_indices=(3,), with_cp=on, frozen_stages=frozen_stages, bn_eval=False, bn_frozen=frozen_stages > 0
        )
        model.train()
        return model

    return make


def mmcv_resnet_with_frozen_stem(on):
    """Its first block is trained, and is called with a tensor that does not require grad."""
    model = mmcv_resnet(50)(on)
    for module in (model.conv1, model.bn1):
        module.requires_grad_(False)
    return model


def ids():
    return (torch.randint(2, 64, (2, 8)),)


CASES = {
    "ResNet-50": Case("mmcv", mmcv_resnet(50)),
    "ResNet-101, 1 stage frozen": Case("mmcv", mmcv_resnet(101, 1)),
    "ResNet-50, stem frozen": Case("mmcv", mmcv_resnet_with_frozen_stem),
    "DenseNet": Case("torchvision", densenet),
    "DenseNet, stem frozen": Case("torchvision", densenet_with_frozen_stem),
    "ViT": Case("timm", timm_model("vit_tiny_patch16_224", img_size=32, embed_dim=24, depth=3, num_heads=2)),
    "ResNet-26": Case("timm", timm_model("resnet26")),
    "PoolFormer (nested)": Case("timm", timm_model("poolformer_s12")),
    "ConvNeXt": Case("timm", timm_model("convnext_atto", depths=(1, 1, 2, 1), dims=(8, 16, 24, 32))),
    "Swin": Case(
        "timm",
        timm_model("swin_tiny_patch4_window7_224", img_size=32, window_size=4, embed_dim=12, depths=(1, 2), num_heads=(2, 2)),
    ),
    "timm's DenseNet": Case("timm", timm_model("densenet121", growth_rate=4, block_config=(2, 2))),
    "BERT": Case("hf", hugging_face(models.bert, "input_ids"), ids),
    "GPT-2": Case("hf", hugging_face(models.gpt2, "input_ids", result="logits"), ids),
    "Llama": Case("hf", hugging_face(models.llama, "input_ids", result="logits"), ids),
    "BART": Case("hf", hugging_face(models.bart, "input_ids", "decoder_input_ids", result="logits"), lambda: ids() + ids()),
    "Wav2Vec2, by gradscan.export": Case(
        "hf", hugging_face(lambda kind: models.wav2vec2(kind, 0.0), "input_values"), lambda: (torch.rand(2, 400),), export=True
    ),
}


def scanned(file, *options):
    program = os.environ.get("GRADSCAN", "gradscan")
    run = subprocess.run([program, "--format", "json", *options, file], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise RuntimeError(run.stderr.strip())
    return json.loads(run.stdout)


def said_of_plain(case, inputs, folder):
    torch.manual_seed(0)
    file = f"{folder}/plain.pt"
    if case.export:
        gradscan.export(case.make(False), inputs, file)
    else:
        torch.jit.trace(case.make(False), inputs, check_trace=False, strict=False).save(file)
    return scanned(file, "--checkpoint", case.preset)


def seen_in_library(case, inputs, folder):
    torch.manual_seed(0)
    file = f"{folder}/library.capture.json"
    gradscan.record(case.make(True), inputs, file)
    return scanned(file)


def regions_of(report):
    """The kind, nesting depth and parameter names of each region."""
    names = {parameter["index"]: parameter["name"] for parameter in report["parameters"]}
    regions = []
    for region in report["regions"]:
        depth = 0 if region["parent"] is None else regions[region["parent"]][1] + 1
        regions.append((region["kind"], depth, frozenset(names[index] for index in region["parameters"])))
    return regions


def verdicts_of(report):
    names = {parameter["index"]: parameter["name"] for parameter in report["parameters"]}
    keys = ("checkpointing", "find_unused_parameters", "static_graph", "outcome", "iteration")
    return [
        ([verdict[key] for key in keys], sorted(names[index] for index, _ in verdict["parameters"]))
        for verdict in report["verdicts"]
    ]


def compared(said, seen):
    """The columns of the table, and whether the preset is right in all of them."""
    ours, theirs = regions_of(said), regions_of(seen)
    pairs = list(zip(ours, theirs, strict=False))
    same_shape = [region[:2] for region in ours] == [region[:2] for region in theirs]
    missing = sum(len(library[2] - preset[2]) for preset, library in pairs)
    more = sum(len(preset[2] - library[2]) for preset, library in pairs)
    verdicts = list(zip(verdicts_of(said), verdicts_of(seen), strict=True))
    equal = sum(preset[0] == library[0] for preset, library in verdicts)
    other = sum(preset[0] == library[0] and preset[1] != library[1] for preset, library in verdicts)
    columns = [
        str(len(theirs)),
        str(len(ours)),
        str(sum(len(library[2]) for library in theirs)),
        f"{missing} missing, {more} more" if missing or more else "equal",
        f"{equal} of {len(verdicts)} equal" + (f", {other} of them with another parameter first" if other else ""),
    ]
    return columns, same_shape and not missing and equal == len(verdicts)


def row_of(name, case):
    torch.manual_seed(1)
    inputs = case.inputs()
    with tempfile.TemporaryDirectory() as folder:
        said, seen = said_of_plain(case, inputs, folder), seen_in_library(case, inputs, folder)
    columns, good = compared(said, seen)
    return "| " + " | ".join([case.preset, name, *columns]) + " |", good


def main(out=None, *names):
    head = (
        "| preset | model | regions of the library | of the preset | parameters in the library's | in the preset's | verdicts |"
    )
    rows, bad = [head, "| --- " * head.count(" | ") + "| --- |"], []
    for name in (name for name in CASES if not names or name in names):
        row, good = row_of(name, CASES[name])
        rows.append(row)
        bad += [] if good else [name]
        print(row, file=sys.stderr, flush=True)
    if out:
        page = Path(out)
        begin, end = "<!-- check -->", "<!-- end of check -->"
        before, _, rest = page.read_text().partition(begin)
        page.write_text(before + begin + "\n" + "\n".join(rows) + "\n" + end + rest.partition(end)[2])
    sys.exit(f"not as the library does: {', '.join(bad)}" if bad else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
