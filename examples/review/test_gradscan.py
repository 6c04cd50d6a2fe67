"""Exports the project's models as the training script builds them; gradscan reads the files afterwards (see docs/ci.md)."""
import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gradscan

OUT = Path(os.environ.get("GRADSCAN_MODELS", "gradscan-models"))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + checkpoint(self.inner, x, use_reentrant=True)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.blocks, self.head = nn.Linear(8, 16), nn.Sequential(Block(16), Block(16)), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embed(x)))


def test_tagger_is_exported() -> None:
    OUT.mkdir(exist_ok=True)
    gradscan.export(Tagger(), (torch.zeros(2, 8),), OUT / "tagger.pt", find_unused_parameters=True)
