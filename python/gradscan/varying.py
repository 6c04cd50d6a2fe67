"""Reasons why an iteration may leave layers out, as far as the model declares them."""

from __future__ import annotations

from typing import Any

import torch

_NAMES = ("layerdrop", "encoder_layerdrop", "decoder_layerdrop")


def reasons_to_drop(model: torch.nn.Module) -> list[str]:
    """LayerDrop: "encoder has layerdrop=0.1" for each module in train mode that skips whole layers at random. The value is read
    from the modules, or, if none of them has it, from the configuration that they share, as in transformers."""
    modules = [(path or type(model).__name__, module) for path, module in model.named_modules() if module.training]
    found = [reason for path, module in modules for reason in _dropping(path, module)]
    if found:
        return found
    configs = {id(config): (path, config) for path, module in reversed(modules) if (config := getattr(module, "config", None))}
    return [reason for path, config in reversed(configs.values()) for reason in _dropping(path, config)]


def _dropping(path: str, owner: Any) -> list[str]:
    values = {name: getattr(owner, name, None) for name in _NAMES}
    return [f"{path} has {name}={value}" for name, value in values.items() if isinstance(value, float) and value > 0]
