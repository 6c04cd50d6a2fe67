"""Models of well-known libraries, small and with random weights.

A case makes a model for a kind of checkpointing ("reentrant", "non_reentrant", "off"), provides the arguments of forward, and
computes the loss from its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

# timm imports torchvision. With a CPU build of torch, the operators of the CUDA build of torchvision on PyPI cannot be loaded.
# timm uses none of them, but its import fails unless these are declared.
_operators = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, _name):
        _operators.define(f"{_name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")

ALL = ("reentrant", "non_reentrant", "off")
Kinds = tuple[str, ...]


@dataclass(frozen=True)
class Case:
    what: str  # for the table
    make: Callable[[str], nn.Module]
    inputs: Callable[[], dict[str, Any]]
    loss: Callable[[Any], torch.Tensor]
    kinds: Kinds = ALL


def own_loss(output):
    return output.loss


def mean_square(output):
    return output.pow(2).mean()


def mean_square_of_hidden(output):
    return output.last_hidden_state.pow(2).mean()


def image():
    return {"x": torch.rand(2, 3, 32, 32)}


def ids(vocabulary=64, length=8):
    tokens = torch.randint(2, vocabulary, (2, length))
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}


def labelled(vocabulary=64, length=8):
    inputs = ids(vocabulary, length)
    return {**inputs, "labels": inputs["input_ids"]}


def hugging_face(model, kind):
    if kind != "off":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": kind == "reentrant"})
    return model.train()


# --- convolutional -----------------------------------------------------------------------------------------------------------


def mmcv_resnet(kind, frozen_stages=-1):
    """Checkpoints a block if its input requires grad."""
    from mmcv.cnn import ResNet

    model = ResNet(
        50,
        out_indices=(3,),
        with_cp=kind == "reentrant",
        frozen_stages=frozen_stages,
        bn_eval=False,
        bn_frozen=frozen_stages > 0,
    )
    model.train()  # returns nothing here
    return model


def timm_model(name, kind, **options):
    import timm
    from timm.layers import set_reentrant_ckpt

    set_reentrant_ckpt(kind == "reentrant")
    model = timm.create_model(name, num_classes=5, **options)
    model.set_grad_checkpointing(kind != "off")
    return model.train()


# --- language ----------------------------------------------------------------------------------------------------------------


def bert(kind, **options):
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, **options
    )
    return hugging_face(BertModel(config), kind)


def gpt2(kind):
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=64, n_positions=16, n_embd=16, n_layer=3, n_head=2, use_cache=False, loss_type="ForCausalLM")
    return hugging_face(GPT2LMHeadModel(config), kind)


def llama(kind):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=64,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        use_cache=False,
    )
    return hugging_face(LlamaForCausalLM(config), kind)


def t5(kind):
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, use_cache=False, decoder_start_token_id=0
    )
    return hugging_face(T5ForConditionalGeneration(config), kind)


def bart(kind):
    from transformers import BartConfig, BartForConditionalGeneration

    config = BartConfig(
        vocab_size=64,
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=32,
        use_cache=False,
    )
    return hugging_face(BartForConditionalGeneration(config), kind)


def albert(kind):
    """Its layers share one set of weights, and each call of a layer is checkpointed."""
    from torch.utils.checkpoint import checkpoint
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=64, embedding_size=8, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32
    )
    model = AlbertModel(config, add_pooling_layer=False)
    group = model.encoder.albert_layer_groups[0]
    plain = group.forward
    if kind != "off":

        def forward(hidden_states, *args, **kwargs):
            return checkpoint(lambda h: plain(h, *args, **kwargs), hidden_states, use_reentrant=kind == "reentrant")

        group.forward = forward
    return model.train()


def lora(kind, input_grads):
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(gpt2("off"), LoraConfig(r=2, target_modules=["c_attn"], task_type="CAUSAL_LM", fan_in_fan_out=True))
    model = hugging_face(model, kind)
    base = model.base_model.model
    base.disable_input_require_grads() if hasattr(base, "_require_grads_hook") else None
    if input_grads:
        base.enable_input_require_grads()
    return model


# --- speech ------------------------------------------------------------------------------------------------------------------


def wav2vec2(kind, layerdrop):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_stride=(4, 4),
        conv_kernel=(8, 4),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        layerdrop=layerdrop,
        mask_time_prob=0.0,
        apply_spec_augment=False,
    )
    return hugging_face(Wav2Vec2Model(config), kind)


def whisper(kind):
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=64,
        num_mel_bins=8,
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=8,
        max_target_positions=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
        decoder_start_token_id=2,
        use_cache=False,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
    )
    return hugging_face(WhisperForConditionalGeneration(config), kind)


# --- others ------------------------------------------------------------------------------------------------------------------


def wrapped_transformer(kind):
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
        CheckpointImpl,
        apply_activation_checkpointing,
        checkpoint_wrapper,
    )

    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    if kind != "off":
        kinds = {"reentrant": CheckpointImpl.REENTRANT, "non_reentrant": CheckpointImpl.NO_REENTRANT}
        apply_activation_checkpointing(
            model,
            checkpoint_wrapper_fn=lambda module: checkpoint_wrapper(module, checkpoint_impl=kinds[kind]),
            check_fn=lambda module: isinstance(module, nn.TransformerEncoderLayer),
        )
    return model.train()


class TwoHeads(nn.Module):
    """A vision transformer with an unused auxiliary head."""

    def __init__(self, kind):
        super().__init__()
        self.trunk = timm_model("vit_tiny_patch16_224", kind, img_size=32, embed_dim=24, depth=3, num_heads=2)
        self.auxiliary = nn.Linear(5, 5)

    def forward(self, x):
        return self.trunk(x)


SPEECH = lambda: {"input_values": torch.rand(2, 400)}  # noqa: E731
SPECTRUM = lambda: {"input_features": torch.rand(2, 8, 16), "labels": torch.randint(3, 64, (2, 5))}  # noqa: E731

CASES: dict[str, Case] = {
    "mmcv ResNet-50": Case("convolutional, with_cp", lambda kind: mmcv_resnet(kind), image, mean_square, ("reentrant", "off")),
    "mmcv ResNet-50, 1 stage frozen": Case(
        "convolutional, with_cp", lambda kind: mmcv_resnet(kind, 1), image, mean_square, ("reentrant", "off")
    ),
    "timm ResNet-26": Case("convolutional", lambda kind: timm_model("resnet26", kind), image, mean_square),
    "timm ConvNeXt": Case(
        "convolutional",
        lambda kind: timm_model("convnext_atto", kind, depths=(1, 1, 2, 1), dims=(8, 16, 24, 32)),
        image,
        mean_square,
    ),
    "timm ViT": Case(
        "vision transformer",
        lambda kind: timm_model("vit_tiny_patch16_224", kind, img_size=32, embed_dim=24, depth=3, num_heads=2),
        image,
        mean_square,
    ),
    "timm ViT with an unused head": Case("dead head", TwoHeads, image, mean_square),
    "timm Swin": Case(
        "vision transformer",
        lambda kind: timm_model(
            "swin_tiny_patch4_window7_224", kind, img_size=32, window_size=4, embed_dim=12, depths=(1, 2), num_heads=(2, 2)
        ),
        image,
        mean_square,
    ),
    "BERT": Case("encoder with an unused pooler", bert, ids, mean_square_of_hidden),
    "GPT-2": Case("decoder, tied head", gpt2, labelled, own_loss),
    "Llama": Case("decoder", llama, labelled, own_loss),
    "T5": Case("encoder-decoder, shared embeddings", t5, labelled, own_loss),
    "BART": Case("encoder-decoder, shared embeddings", bart, labelled, own_loss),
    "ALBERT": Case("layer sharing", albert, ids, mean_square_of_hidden),
    "Wav2Vec2": Case("speech", lambda kind: wav2vec2(kind, 0.0), SPEECH, mean_square_of_hidden),
    "Wav2Vec2, LayerDrop": Case("speech, random depth", lambda kind: wav2vec2(kind, 0.5), SPEECH, mean_square_of_hidden),
    "Whisper": Case("speech, encoder-decoder", whisper, SPECTRUM, own_loss),
    "GPT-2 + LoRA": Case("LoRA, no input grads", lambda kind: lora(kind, False), labelled, own_loss),
    "GPT-2 + LoRA, input grads": Case("LoRA, enable_input_require_grads", lambda kind: lora(kind, True), labelled, own_loss),
    "nn.TransformerEncoder": Case(
        "CheckpointWrapper", wrapped_transformer, lambda: {"src": torch.rand(2, 5, 16, requires_grad=True)}, mean_square
    ),
}
