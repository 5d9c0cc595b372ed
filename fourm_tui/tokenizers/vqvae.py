"""Image tokenizers: what they have in common, and those whose decoder gives its values in one pass.

Names of modules are the checkpoints' (apple/ml-4m, classes `VQ` and `VQVAE`).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from fourm_tui.errors import InputError
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.conv import ConvDecoder, ConvEncoder
from fourm_tui.tokenizers.mlp import BottleneckMLP, mlp
from fourm_tui.tokenizers.quantize import Memcodes, VectorQuantizer
from fourm_tui.tokenizers.vit import ViTDecoder, ViTEncoder

# Means and deviations of the red, green and blue of ImageNet, in [0, 1].
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class VQEncoder(nn.Module):
    """The half that all image tokenizers share: encoder, codebook, and the way from tokens to the quantised latent.

    A tokenizer inherits it and adds its `decoder`. Shapes, with C = `n_channels`, D = `latent_dim`, H = `num_codebooks`
    and the grid (h, w):
        pixels: `[B, C, height, width]` in [-1, 1] for pictures; for class ids (`n_labels`) whole numbers
            `[B, height, width]`; for feature maps `[B, C, h, w]`; for vectors `[B, C, 1, 1]`.
        tokens: int64 `[B, h, w]`; with several codebooks `[B, H, h, w]`.
        latent: `[B, D, h, w]`.

    Args:
        config: its diffusion settings are left alone here.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.cls_emb = nn.Embedding(config.n_labels, config.n_channels) if config.n_labels else None
        self.encoder: ViTEncoder | ConvEncoder | BottleneckMLP
        if config.enc_type.startswith("vit_"):
            self.encoder = ViTEncoder(config)
        elif config.enc_type.startswith("conv_"):
            self.encoder = ConvEncoder(config)
        else:
            self.encoder = mlp(config.enc_type, dim_in=config.n_channels)
        self.quant_proj = nn.Conv2d(self.encoder.dim_out, config.latent_dim, 1)
        self.quantize = Memcodes(config) if config.quant_type == "memcodes" else VectorQuantizer(config)

    def encode(self, pixels: Tensor) -> Tensor:
        """Tokens of pictures, features or vectors; see the class for shapes and ranges.

        Raises:
            InputError: they have other channels than the encoder, no class of these ids, or do not fit its patches.
        """
        return self.quantize.tokens(self.latent(pixels))

    def latent(self, pixels: Tensor) -> Tensor:
        """The latent before it is quantised, `[B, D, h, w]`."""
        return self.quant_proj(self.encoder(self.prepare(pixels)))

    def prepare(self, pixels: Tensor) -> Tensor:
        """What the encoder sees, `[B, C, height, width]`: class ids are embedded, ImageNet's standardisation undone."""
        config = self.config
        if self.cls_emb is not None:
            ids, classes = pixels.long(), self.cls_emb.num_embeddings
            if ids.dim() != 3 or not _are_below(classes, ids):
                raise InputError(
                    f"class ids of shape {list(ids.shape)} do not fit this tokenizer: they are to be whole numbers "
                    f"from 0 to {classes - 1} in [batch, height, width]"
                )
            return self.cls_emb(ids).permute(0, 3, 1, 2)
        if pixels.dim() != 4 or pixels.shape[1] != config.n_channels:
            raise InputError(
                f"an input of shape {list(pixels.shape)} does not fit this tokenizer: it is to be "
                f"[batch, {config.n_channels}, height, width]"
            )
        pixels = pixels.to(self.quant_proj.weight.dtype)
        if config.undo_std:
            mean, std = (pixels.new_tensor(values)[:, None, None] for values in (_IMAGENET_MEAN, _IMAGENET_STD))
            pixels = 2 * (pixels * std + mean) - 1
        return pixels

    def embed_tokens(self, tokens: Tensor) -> Tensor:
        """The quantised latent `[B, D, h, w]` of tokens `[B, h, w]` or `[B, H, h, w]`.

        Raises:
            InputError: tokens of another shape, or outside of the codebook.
        """
        codebooks, size = self.config.num_codebooks, self.config.codebook_size
        shape = ["batch", codebooks, "rows", "columns"] if codebooks > 1 else ["batch", "rows", "columns"]
        if tokens.dim() != len(shape) or (codebooks > 1 and tokens.shape[1] != codebooks):
            raise InputError(f"tokens of shape {list(tokens.shape)} are to be [{', '.join(map(str, shape))}]")
        if not _are_below(size, tokens):
            raise InputError(f"tokens from {tokens.min()} to {tokens.max()} are not all in the codebook of {size}")
        return self.quantize.embed(tokens.long())

    def forget(self) -> bool:
        """Frees what is kept from one decoding to the next; whether there was anything."""
        return False

    def default_buffer(self, name: str) -> Tensor:
        """A buffer that a checkpoint may leave out, because it is computed (positions) or not used (statistics).

        The module that owns it gives it, through its own `default_buffer(leaf)`.
        """
        owner, _, leaf = name.rpartition(".")
        module: Any = self.get_submodule(owner)
        return module.default_buffer(leaf)

    def shared_names(self) -> list[tuple[str, str]]:
        """Pairs of names under which a state dict holds one and the same tensor; a file may have one of them only."""
        return []


def _are_below(limit: int, ids: Tensor) -> bool:
    # Looked at before they are looked up: an id outside of its table takes a CUDA process down.
    return ids.numel() == 0 or 0 <= int(ids.min()) <= int(ids.max()) < limit


class VQVAE(VQEncoder):
    """A tokenizer without diffusion (van den Oord et al. 2017, arXiv:1711.00937): features, masks, classes, poses."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__(config)
        self.decoder: ViTDecoder | ConvDecoder | BottleneckMLP
        if config.dec_type.startswith("vit_"):
            self.decoder = ViTDecoder(config)
        elif config.dec_type.startswith("conv_"):
            self.decoder = ConvDecoder(config)
        else:
            self.decoder = mlp(config.dec_type, dim_out=config.out_channels)
        self.post_quant_proj = nn.Conv2d(config.latent_dim, self.decoder.dim_in, 1)

    def decode(self, tokens: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Values of tokens `[B, h, w]` or `[B, H, h, w]`.

        Args:
            tokens: ids of the codebook.
            size: there for tokenizers that can choose (`DiVAE`); here the tokens decide.

        Returns:
            Pictures `[B, C, h * patch, w * patch]` (masks: logits), class logits `[B, n_labels, h * patch, w * patch]`,
            features `[B, C, h, w]` or vectors `[B, C, 1, 1]`.

        Raises:
            InputError: tokens of another shape, or outside of the codebook.
        """
        return self.decoder(self.post_quant_proj(self.embed_tokens(tokens)))
