"""The costs in a capture: export and record agree on them."""

import json

import torch
from test_truth import with_memory_in_place
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import gradscan


class Model(nn.Module):
    """Groups, attention, a frozen layer inside a region and one outside, operations that no gradient flows through."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.conv, self.back = nn.Conv1d(4, 6, 3, groups=2), nn.ConvTranspose1d(6, 4, 3, groups=2)
        self.qkv, self.adapter = nn.Linear(8, 24), nn.Linear(8, 8, bias=False)

    def attend(self, x, weight):
        weight = weight * self.frozen(weight)
        q, k, v = self.qkv(x).view(2, 4, 3, 2, 4).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 4, 8)
        return self.frozen(x) + self.adapter(x) * weight

    def forward(self, x):
        weight = self.frozen(x)
        x = self.back(F.relu(self.conv(x)))
        return torch.bmm(x, checkpoint(self.attend, x, weight, use_reentrant=False).transpose(1, 2))


def test_flops_and_arguments_agree(scan, tmp_path):
    captures = []
    for write, name in ((gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")):
        torch.manual_seed(0)
        write(Model(), torch.rand(2, 4, 8), str(tmp_path / name))
        saved = tmp_path / f"saved_{len(captures)}.capture.json"
        scan(str(tmp_path / name), "--save-capture", str(saved))
        captures.append(json.loads(saved.read_text()))
    region = captures[0]["regions"][0]
    assert region["argument_dtypes"] == ["float32", "float32"]
    assert region["constant_flops"] == 2 * 2 * 4 * 8 * 8 == captures[0]["constant_flops"]
    assert [flops for node in captures[0]["nodes"] if "Conv" in node.get("op", "") for flops in node["gradient_flops"]]
    assert len(captures[0]["nodes"][region["begin"]]["saved"]) == 2
    with_memory_in_place(*captures)
    for capture in captures:
        for node in capture["nodes"]:
            node.pop("op", None)  # a trace calls the other one of torch's two convolutions
    for key in ("regions", "nodes", "constant_flops"):
        assert captures[0][key] == captures[1][key], key
