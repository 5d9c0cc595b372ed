"""Image tokenizers that decode by diffusion (Shi et al. 2022, arXiv:2206.00386): RGB, depth, normals, edges.

Names of modules are the checkpoints' (apple/ml-4m, class `DiVAE`). Two things differ from there: pictures are decoded
at the size of their tokens unless another is asked for (there: at that of training), and each picture of a batch can
have noise of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from fourm_tui.errors import InputError, printable
from fourm_tui.recording import LARGEST_BATCH, Fixed, Recordings, is_recorded
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.diffusion import Denoised, Diffusion, Network, Noise
from fourm_tui.tokenizers.unet import UNET_SIZES, PatchedUNet, UNetSize
from fourm_tui.tokenizers.uvit import UVIT_SIZES, UViT, UViTSize
from fourm_tui.tokenizers.vqvae import VQEncoder

STEPS = 25
"""Decoding steps of the published models; one step gives a quick preview, 50 the best picture."""
_KEPT = 2
"""Recordings of denoising steps that are kept: they take much memory, and a chain has pictures of one or two sizes."""


class DiVAE(VQEncoder):
    """An image tokenizer that decodes by diffusion.

    Args:
        config: of a tokenizer with diffusion.
        size: of the decoder; None: as `dec_type` says.

    Raises:
        InputError: there is no such decoder, or it cannot be conditioned in this way.
    """

    def __init__(self, config: TokenizerConfig, size: UNetSize | UViTSize | None = None) -> None:
        super().__init__(config)
        if config.diffusion is None:
            raise InputError(f"dec_type is {printable(config.dec_type, 40)}, which has no diffusion to be decoded with")
        self.diffusion = Diffusion(config.diffusion)
        self.recordings: Recordings | None = None
        """Of denoising steps, on a device that has such."""
        size = size or decoder_size(config)
        self.decoder: PatchedUNet | UViT
        if isinstance(size, UNetSize):
            self.decoder = PatchedUNet(config.n_channels, config.latent_dim, size)
        else:
            self.decoder = UViT(config.n_channels, config.latent_dim, size)

    def shared_names(self) -> list[tuple[str, str]]:
        """Pairs of names under which a state dict holds one and the same tensor; a file may have one of them only."""
        if isinstance(self.decoder, PatchedUNet):
            return []
        return [(f"decoder.{a}", f"decoder.{b}") for a, b in self.decoder.shared_names()]

    def forget(self) -> bool:
        return self.recordings is not None and self.recordings.forget()

    def decode(
        self,
        tokens: Tensor,
        size: tuple[int, int] | None = None,
        steps: int = STEPS,
        *,
        noise: Noise,
        progress: Callable[[Denoised], None] | None = None,
        mask: Tensor | None = None,
        diffusion: Diffusion | None = None,
        spacing: str | None = None,
    ) -> Tensor:
        """Pictures of tokens, `[B, C, height, width]` fp32.

        Pictures that were trained from -1 to 1 stay in that range if the config clips them; depth is in standard
        deviations and has no bounds.

        Args:
            progress: called after each step; what it raises stops the decoding.
            tokens, size, steps, noise, mask, diffusion, spacing: see `denoise`.

        Raises:
            InputError: see `denoise`.
        """
        pictures = None
        for done in self.denoise(
            tokens, size, steps, noise=noise, mask=mask, diffusion=diffusion, spacing=spacing
        ):  # fmt: skip
            if progress is not None:
                progress(done)
            pictures = done.x_prev
        assert pictures is not None
        return pictures

    @torch.no_grad()
    def denoise(
        self,
        tokens: Tensor,
        size: tuple[int, int] | None = None,
        steps: int = STEPS,
        *,
        noise: Noise,
        mask: Tensor | None = None,
        diffusion: Diffusion | None = None,
        spacing: str | None = None,
    ) -> Iterator[Denoised]:
        """The steps from noise to pictures, one at a time; whoever asks for no more stops the decoding.

        Args:
            tokens: `[B, h, w]`, ids of the codebook, on the model's device.
            size: height and width of the pictures in pixels; None: those of the tokens.
            steps: of denoising, from 1 to `num_train_timesteps`; see `Diffusion.timesteps` for how many are made.
            noise: see `noise_per_sample`.
            mask: `[B, h, w]`, True where a token is hidden from the decoder.
            diffusion: instead of the model's own settings.
            spacing: of the timesteps, instead of the scheduler's own.

        Raises:
            InputError: tokens that do not fit, a size that the decoder cannot make, or a wrong number of steps.
        """
        codes = self.embed_tokens(tokens)
        patch = self.config.patch_size
        height, width = size or (tokens.shape[1] * patch, tokens.shape[2] * patch)
        self._check_size(height, width)
        if mask is not None and mask.shape != tokens.shape:
            raise InputError(f"a mask of shape {list(mask.shape)} does not fit tokens of shape {list(tokens.shape)}")
        condition = self.decoder.condition(codes, (height, width), mask)
        shape = (len(tokens), self.config.n_channels, height, width)
        network = self._network(shape, condition)
        yield from (diffusion or self.diffusion).denoise(network, shape, steps, noise, codes.device, spacing)

    def _network(self, shape: tuple[int, ...], condition: Tensor) -> Network:
        """The decoder on pictures of a shape under a condition; recorded where that is of use."""
        if self.recordings is None and is_recorded(condition.device):
            self.recordings = Recordings(condition.device, _KEPT)
        recordings = self.recordings if shape[0] <= LARGEST_BATCH else None
        if recordings is None:
            step = _Step(self.decoder, shape, condition)
        else:
            room = torch.empty_like(condition)
            step = recordings.get((shape, condition.shape), lambda: _Step(self.decoder, shape, room))
            step.condition.copy_(condition)

        def network(x: Tensor, timestep: int) -> Tensor:
            step.x.copy_(x)
            step.timestep.fill_(timestep)
            return step.compute() if recordings is None else step.run(recordings.record).clone()

        return network

    def _check_size(self, height: int, width: int) -> None:
        unit = self.decoder.size.granularity
        if height < unit or width < unit or height % unit or width % unit:
            near = "x".join(str(max(unit, round(side / unit) * unit)) for side in (height, width))
            raise InputError(
                f"this tokenizer cannot decode pictures of {height}x{width}: their sides are to be multiples of {unit} "
                f"pixels, for example {near}"
            )


class _Step(Fixed):
    """What the decoder makes of noisy pictures `[B, C, H, W]`."""

    def __init__(self, decoder: PatchedUNet | UViT, shape: tuple[int, ...], condition: Tensor) -> None:
        super().__init__()
        self.decoder, self.condition = decoder, condition
        self.x = condition.new_empty(shape)
        self.timestep = torch.zeros(1, dtype=torch.int64, device=condition.device)

    def compute(self) -> Tensor:
        return self.decoder(self.x, self.timestep, self.condition)


def decoder_size(config: TokenizerConfig) -> UNetSize | UViTSize:
    """The sizes of a config's decoder.

    Raises:
        InputError: there is no such decoder, or it cannot be conditioned in this way.
    """
    if config.dec_type in UNET_SIZES:
        return UNET_SIZES[config.dec_type]
    if config.dec_type not in UVIT_SIZES:
        known = ", ".join((*UNET_SIZES, *UVIT_SIZES))
        raise InputError(f"dec_type is {printable(config.dec_type, 40)}; diffusion decoders are {known}")
    assert config.diffusion is not None
    if config.diffusion.conditioning != "concat":
        raise InputError(
            f"conditioning is {config.diffusion.conditioning}, but {config.dec_type} is supported with concat only"
        )
    return UVIT_SIZES[config.dec_type]
