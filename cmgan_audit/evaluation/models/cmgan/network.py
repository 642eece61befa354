"""TSCNet, the generator of CMGAN: dense encoder, four two-stage conformers, a mask and a complex decoder.

Written from the papers (arXiv:2203.15149; arXiv:2209.11112, section III); parameters have the names and shapes of
the public implementation, so that its checkpoints load strictly and ours load there. Feature maps are
[batch, time, frequency, channels] inside the conformers and the same memory seen as [batch, channels, time,
frequency] (PyTorch's channels-last format) inside the convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cmgan_audit.evaluation.models.cmgan.conformer import FREQUENCY_AXIS, TIME_AXIS, Conformer, Sizes, apply_in_pieces

DENSE_DEPTH = 4


_TILE = 4096
"""Positions whose sums keep all digits that matter, and enough of them for two threads."""


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm with learned scale and shift that keeps the channels-last format."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, channels, time, frequency]."""
        if torch.is_grad_enabled() or x.is_cuda:
            return super().forward(x)
        normed = [self._norm_one(one) for one in torch.split(x, 1)]
        return normed[0] if len(normed) == 1 else torch.cat(normed)

    def _norm_one(self, x: Tensor) -> Tensor:
        """One feature map on the CPU, whose usual kernels are slow with channels last.

        Batch norm's kernel gives mean and deviation of tiles of positions, fast; summed over a whole map, though, it
        loses digits (1e-4 of the result after six seconds), so the tiles are combined here.
        """
        positions = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        means, variances, counts = [], [], []
        for tile in torch.split(positions, _TILE):
            _, mean, inverse = torch.native_batch_norm(tile, None, None, None, None, True, 0.0, 0.0)
            means.append(mean)
            variances.append(inverse**-2.0)
            counts.append(len(tile))
        share = torch.tensor(counts, dtype=x.dtype).unsqueeze(1) / len(positions)
        tile_means = torch.stack(means)
        mean = (share * tile_means).sum(dim=0)
        variance = (share * (torch.stack(variances) + (tile_means - mean) ** 2)).sum(dim=0)
        scale = torch.rsqrt(variance + self.eps) * self.weight
        return torch.addcmul((self.bias - mean * scale).view(1, -1, 1, 1), x, scale.view(1, -1, 1, 1))


class DilatedDenseNet(nn.Module):
    """Four densely connected convolutions, causal in time, with dilations 1, 2, 4, 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for i in range(DENSE_DEPTH):
            conv = nn.Conv2d(channels * (i + 1), channels, kernel_size=(2, 3), dilation=(2**i, 1))
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"norm{i + 1}", InstanceNorm(channels))
            self.add_module(f"prelu{i + 1}", nn.PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, channels, time, frequency].

        A convolution over concatenated maps is the sum of convolutions over each of them, so nothing is
        concatenated. Padding 2**i rows on both sides of time and dropping the last 2**i results is causal padding
        without a padded copy.
        """
        maps = [x]
        for i in range(DENSE_DEPTH):
            conv = self.get_submodule(f"conv{i + 1}")
            assert isinstance(conv, nn.Conv2d)
            dilation = 2**i
            bias = conv.bias
            out: Tensor | None = None
            # The newest map stands first in the weights' channel order.
            for weight, source in zip(torch.split(conv.weight, x.shape[1], dim=1), reversed(maps), strict=True):
                part = F.conv2d(source, weight, bias, padding=(dilation, 1), dilation=(dilation, 1))
                bias = None
                out = part if out is None else out.add_(part)
            assert out is not None
            out = out[:, :, : x.shape[2]]
            out = self.get_submodule(f"prelu{i + 1}")(self.get_submodule(f"norm{i + 1}")(out))
            maps.append(out)
        return maps[-1]


class DenseEncoder(nn.Module):
    """Magnitude and complex parts to feature maps of half the frequencies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_1 = nn.Sequential(nn.Conv2d(3, channels, 1), InstanceNorm(channels), nn.PReLU(channels))
        self.dilated_dense = DilatedDenseNet(channels)
        halve = nn.Conv2d(channels, channels, kernel_size=(1, 3), stride=(1, 2), padding=(0, 1))
        self.conv_2 = nn.Sequential(halve, InstanceNorm(channels), nn.PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, time, frequency] -> [batch, channels, time, frequency // 2 + 1]."""
        return self.conv_2(self.dilated_dense(self.conv_1(x)))  # type: ignore[no-any-return]


class TwoStageConformer(nn.Module):
    """A conformer along time, then one along frequency, each with a residual around it."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.time_conformer = Conformer(sizes, TIME_AXIS)
        self.freq_conformer = Conformer(sizes, FREQUENCY_AXIS)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, time, frequency, channels]; in inference the input is overwritten."""
        if torch.is_grad_enabled() or self.training:
            x = x + self.time_conformer(x)
            return x + self.freq_conformer(x)  # type: ignore[no-any-return]
        x = apply_in_pieces(self.time_conformer, x, TIME_AXIS)
        return apply_in_pieces(self.freq_conformer, x, FREQUENCY_AXIS)


class SubPixelConv(nn.Module):
    """Convolution that doubles the frequencies (Shi et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, kernel_size=(1, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, time, frequency] -> [batch, channels, time, 2 * frequency].

        Output channel r * channels + c is channel c of frequency 2 * f + r: with channels last that is the order
        which the doubled map has in memory anyway.
        """
        wide: Tensor = self.conv(x).permute(0, 2, 3, 1)
        batch, time, frequency, double = wide.shape
        return wide.reshape(batch, time, 2 * frequency, double // 2).permute(0, 3, 1, 2)


class MaskDecoder(nn.Module):
    """The mask for the magnitude."""

    def __init__(self, channels: int, frequencies: int) -> None:
        super().__init__()
        self.dense_block = DilatedDenseNet(channels)
        self.sub_pixel = SubPixelConv(channels)
        self.conv_1 = nn.Conv2d(channels, 1, (1, 2))
        self.norm = InstanceNorm(1)
        self.prelu = nn.PReLU(1)
        self.final_conv = nn.Conv2d(1, 1, 1)
        self.prelu_out = nn.PReLU(frequencies, init=-0.25)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, time, frequency // 2 + 1] -> [batch, time, frequency]."""
        x = self.conv_1(self.sub_pixel(self.dense_block(x)))
        x = torch.squeeze(self.final_conv(self.prelu(self.norm(x))), 1)
        return torch.where(x >= 0, x, x * self.prelu_out.weight)


class ComplexDecoder(nn.Module):
    """What is added to real and imaginary part."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dense_block = DilatedDenseNet(channels)
        self.sub_pixel = SubPixelConv(channels)
        self.prelu = nn.PReLU(channels)
        self.norm = InstanceNorm(channels)
        self.conv = nn.Conv2d(channels, 2, (1, 2))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, time, frequency // 2 + 1] -> [batch, 2, time, frequency]."""
        return self.conv(self.prelu(self.norm(self.sub_pixel(self.dense_block(x)))))  # type: ignore[no-any-return]


class TSCNet(nn.Module):
    """The generator of CMGAN.

    Args:
        num_channel: width of all feature maps, a multiple of 4 (64 in the paper: 1,834,833 parameters).
        num_features: frequencies of the spectrum, n_fft // 2 + 1 (201 in the paper).
    """

    def __init__(self, num_channel: int = 64, num_features: int = 201) -> None:
        super().__init__()
        self._build(Sizes(channels=num_channel, features=num_features, head_width=num_channel // 4))

    @classmethod
    def of_sizes(cls, sizes: Sizes) -> TSCNet:
        """A network of any sizes that the shapes of a checkpoint show."""
        network = cls.__new__(cls)
        nn.Module.__init__(network)
        network._build(sizes)
        return network

    def _build(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.dense_encoder = DenseEncoder(sizes.channels)
        for i in range(sizes.blocks):
            self.add_module(f"TSCB_{i + 1}", TwoStageConformer(sizes))
        self.mask_decoder = MaskDecoder(sizes.channels, sizes.features)
        self.complex_decoder = ComplexDecoder(sizes.channels)

    def forward(self, spectrum: Tensor) -> Tensor:
        """Enhance a compressed spectrum.

        Args:
            spectrum: [batch, 2, time, frequency], real and imaginary part after power compression.

        Returns:
            The same shape. The mask acts on the magnitude and the noisy phase is kept, which is the mask times
            real and imaginary part; the complex decoder's output is added.
        """
        magnitude = torch.linalg.vector_norm(spectrum, dim=1, keepdim=True)
        x = torch.cat([magnitude, spectrum], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.dense_encoder(x).permute(0, 2, 3, 1)
        for i in range(self.sizes.blocks):
            x = self.get_submodule(f"TSCB_{i + 1}")(x)
        x = x.permute(0, 3, 1, 2)
        return spectrum * self.mask_decoder(x).unsqueeze(1) + self.complex_decoder(x)  # type: ignore[no-any-return]
