"""From latents to tokens and back: the codebooks of image tokenizers.

The nearest code is looked for in fp32, whatever the type of the weights. Equally near codes: the first of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.weights import computed

_AT_ONCE = 4096
"""Latents compared with the codebook at once, so that the table of scores stays small."""


class Codebook(nn.Module):
    """The codes of `lucid`, and what training keeps beside them.

    `initted` is 0 in a checkpoint whose codes were never set; `cluster_size` and `embed_avg` are running averages.
    """

    def __init__(self, size: int, dim: int, cosine: bool) -> None:
        super().__init__()
        self.cosine = cosine
        self.embed = nn.Parameter(computed((size, dim), lambda: F.normalize(torch.randn(size, dim), dim=-1)))
        self.register_buffer("initted", torch.ones(1))
        self.register_buffer("cluster_size", torch.ones(size))
        if not cosine:
            self.register_buffer("embed_avg", torch.zeros(size, dim))

    def default_buffer(self, leaf: str) -> Tensor:
        """The statistics, for a checkpoint that leaves them out; decoding and encoding need none of them."""
        return {
            "initted": torch.ones(1),
            "cluster_size": torch.ones(self.embed.shape[0]),
            "embed_avg": torch.zeros(self.embed.shape),
        }[leaf]

    def nearest(self, latents: Tensor) -> Tensor:
        """The code of the largest cosine with, or of the least distance from, each of `[N, D]`."""
        codes = self.embed.float()
        if self.cosine:
            return _best(F.normalize(latents, dim=-1), F.normalize(codes, dim=-1))
        # |x - c|^2 = |x|^2 - 2 (x c - |c|^2 / 2), of which only the bracket differs between codes
        return _best(latents, codes, codes.square().sum(1) / 2)


class VectorQuantizer(nn.Module):
    """One codebook (`lucid`): tokens `[B, h, w]`, latents `[B, D, h, w]`."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.norm_latents = config.norm_latents
        self._codebook = Codebook(config.codebook_size, config.latent_dim, config.norm_codes)

    def tokens(self, latent: Tensor) -> Tensor:
        """The nearest code of each place."""
        B, _, h, w = latent.shape
        flat = latent.permute(0, 2, 3, 1).flatten(0, 2)  # [B * h * w, D]
        with torch.autocast(latent.device.type, enabled=False):
            flat = F.normalize(flat.float(), dim=-1) if self.norm_latents else flat.float()
            return self._codebook.nearest(flat).view(B, h, w)

    def embed(self, tokens: Tensor) -> Tensor:
        """The codes as they are stored; with `norm_codes` too they are only compared, not given, at unit length."""
        return F.embedding(tokens, self._codebook.embed).permute(0, 3, 1, 2)


class Memcodes(nn.Module):
    """Several codebooks side by side, each with keys to compare with and values to give (lucidrains, NWT-pytorch).

    Tokens `[B, H, h, w]`, with one codebook `[B, h, w]`; latents `[B, D, h, w]`, each codebook its share of D.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        heads, dim = config.num_codebooks, config.latent_dim // config.num_codebooks
        self.codes = nn.Parameter(torch.randn(heads, config.codebook_size, dim))
        self.to_k = PerCodebook(heads, dim)
        self.to_v = PerCodebook(heads, dim)

    def tokens(self, latent: Tensor) -> Tensor:
        """For each place and codebook the code whose key has the largest product with the latent."""
        heads, _, dim = self.codes.shape
        B, _, h, w = latent.shape
        with torch.autocast(latent.device.type, enabled=False):
            queries = latent.float().unflatten(1, (heads, dim)).permute(1, 0, 3, 4, 2).flatten(1, 3) * dim**-0.5
            keys = self.to_k(self.codes.float())  # [H, K, d]
            found = [_best(queries[i], keys[i]) for i in range(heads)]
        tokens = torch.stack(found).view(heads, B, h, w).transpose(0, 1)
        return tokens if heads > 1 else tokens[:, 0]

    def embed(self, tokens: Tensor) -> Tensor:
        """The values of the codes, codebook after codebook along the channels."""
        values = self.to_v(self.codes)  # [H, K, d]
        tokens = tokens if tokens.dim() == 4 else tokens[:, None]
        found = [F.embedding(tokens[:, i], values[i]) for i in range(values.shape[0])]  # [B, h, w, d] each
        return torch.cat(found, dim=-1).permute(0, 3, 1, 2)


class PerCodebook(nn.Module):
    """A square matrix for each codebook."""

    def __init__(self, heads: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(heads, dim, dim) * dim**-0.5)

    def forward(self, codes: Tensor) -> Tensor:
        """`[H, K, d]` to `[H, K, d]`."""
        return torch.einsum("hnd,hdc->hnc", codes, self.weight.to(codes.dtype))


def _best(latents: Tensor, codes: Tensor, penalty: Tensor | float = 0.0) -> Tensor:
    """For each of `[N, D]` the code of `[K, D]` with the largest product, less a penalty `[K]`."""
    return torch.cat([(part @ codes.T - penalty).argmax(dim=-1) for part in latents.split(_AT_ONCE)])
