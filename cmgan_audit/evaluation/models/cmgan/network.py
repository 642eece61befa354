"""TSCNet, the generator of CMGAN: dense encoder, four two-stage conformers, a mask and a complex decoder.

Written from the papers (arXiv:2203.15149; arXiv:2209.11112, section III); parameters have the names and shapes of
the public implementation, so that its checkpoints load strictly and ours load there. Feature maps are
[batch, time, frequency, channels] inside the conformers and the same memory seen as [batch, channels, time,
frequency] (PyTorch's channels-last format) inside the convolutions.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cmgan_audit.evaluation.models.cmgan.conformer import Conformer, Sizes
from cmgan_audit.evaluation.models.cmgan.cores import on_all_cores
from cmgan_audit.evaluation.models.cmgan.normalising import norm_and_prelu, runs_in_pieces

DENSE_DEPTH = 4

_TOKENS_AT_ONCE = 2048
"""Positions per piece of a conformer: their widest intermediate (4 x 64 channels) stays near the size of a cache."""


class DilatedDenseNet(nn.Module):
    """Four densely connected convolutions, causal in time, with dilations 1, 2, 4, 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for i in range(DENSE_DEPTH):
            conv = nn.Conv2d(channels * (i + 1), channels, kernel_size=(2, 3), dilation=(2**i, 1))
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"norm{i + 1}", nn.InstanceNorm2d(channels, affine=True))
            self.add_module(f"prelu{i + 1}", nn.PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, channels, time, frequency]."""
        maps = [x]
        for i in range(DENSE_DEPTH):
            convolve = _dense_convolution(self.get_submodule(f"conv{i + 1}"), maps[::-1], dilation=2**i)
            norm, prelu = self.get_submodule(f"norm{i + 1}"), self.get_submodule(f"prelu{i + 1}")
            maps.append(norm_and_prelu(convolve, x.shape, norm, prelu))
        return maps[-1]


def _dense_convolution(conv: nn.Module, maps: list[Tensor], dilation: int) -> Callable[[int, int], Tensor]:
    """The convolution over concatenated maps, causal in time, for frames `start` to `stop` of its result.

    It is the sum of convolutions over each of the maps, so nothing is concatenated.

    Args:
        conv: with a kernel of two frames, `dilation` apart, and three frequencies.
        maps: in the order of the weights' channels: the newest first.
        dilation: of the kernel in time.
    """
    assert isinstance(conv, nn.Conv2d)
    weights = torch.split(conv.weight, maps[0].shape[1], dim=1)

    def convolve(start: int, stop: int) -> Tensor:
        if start >= dilation:
            first, padding, skipped = start - dilation, 0, 0
        else:  # Frames before the first count as zero: padding adds them at both ends, and the far end is cut off.
            first, padding, skipped = 0, dilation, start
        total: Tensor | None = None
        for source, weight in zip(maps, weights, strict=True):
            bias = conv.bias if total is None else None
            part = F.conv2d(source[:, :, first:stop], weight, bias, padding=(padding, 1), dilation=(dilation, 1))
            total = part if total is None else total.add_(part)
        assert total is not None
        return total[:, :, skipped : skipped + stop - start]

    return convolve


class DenseEncoder(nn.Module):
    """Magnitude and complex parts to feature maps of half the frequencies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        norm = nn.InstanceNorm2d(channels, affine=True)
        self.conv_1 = nn.Sequential(nn.Conv2d(3, channels, 1), norm, nn.PReLU(channels))
        self.dilated_dense = DilatedDenseNet(channels)
        halve = nn.Conv2d(channels, channels, kernel_size=(1, 3), stride=(1, 2), padding=(0, 1))
        self.conv_2 = nn.Sequential(halve, nn.InstanceNorm2d(channels, affine=True), nn.PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, time, frequency] -> [batch, channels, time, frequency // 2 + 1]."""
        batch, _, time, frequency = x.shape
        conv, norm, prelu = self.conv_1
        shape = (batch, self.channels, time, frequency)
        wide = self.dilated_dense(norm_and_prelu(lambda start, stop: conv(x[:, :, start:stop]), shape, norm, prelu))
        halve, norm, prelu = self.conv_2
        shape = (*shape[:3], frequency // 2 + 1)
        return norm_and_prelu(lambda start, stop: halve(wide[:, :, start:stop]), shape, norm, prelu)


class TwoStageConformer(nn.Module):
    """A conformer along time, then one along frequency, each with a residual around it."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.time_conformer = Conformer(sizes)
        self.freq_conformer = Conformer(sizes)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, time, frequency, channels]; in inference the input is overwritten."""
        x = _along_rows(self.time_conformer, x.transpose(1, 2))
        return _along_rows(self.freq_conformer, x.transpose(1, 2))


def _along_rows(conformer: nn.Module, x: Tensor) -> Tensor:
    """`x + conformer(x)` with the third axis as the sequence, for x of [batch, rows, n, channels].

    Rows do not see each other, so in inference they are done a few at a time, over x: memory does not grow with their
    number.
    """

    def change(rows: Tensor) -> Tensor:
        return conformer(rows.flatten(0, 1).contiguous()).view(rows.shape)  # type: ignore[no-any-return]

    if not runs_in_pieces(x):
        return x + change(x)
    pieces = torch.split(x, max(1, _TOKENS_AT_ONCE // x.shape[2]), dim=1)
    on_all_cores(lambda rows: rows.add_(change(rows)), pieces)
    return x


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
        self.norm = nn.InstanceNorm2d(1, affine=True)
        self.prelu = nn.PReLU(1)
        self.final_conv = nn.Conv2d(1, 1, 1)
        self.prelu_out = nn.PReLU(frequencies, init=-0.25)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, time, frequency // 2 + 1] -> [batch, time, frequency]."""
        narrow = self.dense_block(x)
        shape = (len(x), 1, x.shape[2], 2 * x.shape[3] - 1)
        x = norm_and_prelu(
            lambda start, stop: self.conv_1(self.sub_pixel(narrow[:, :, start:stop])), shape, self.norm, self.prelu
        )
        x = torch.squeeze(self.final_conv(x), 1)
        return torch.where(x >= 0, x, x * self.prelu_out.weight)


class ComplexDecoder(nn.Module):
    """What is added to real and imaginary part."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dense_block = DilatedDenseNet(channels)
        self.sub_pixel = SubPixelConv(channels)
        self.prelu = nn.PReLU(channels)
        self.norm = nn.InstanceNorm2d(channels, affine=True)
        self.conv = nn.Conv2d(channels, 2, (1, 2))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, time, frequency // 2 + 1] -> [batch, 2, time, frequency]."""
        narrow = self.dense_block(x)
        shape = (*x.shape[:3], 2 * x.shape[3])
        wide = norm_and_prelu(
            lambda start, stop: self.sub_pixel(narrow[:, :, start:stop]), shape, self.norm, self.prelu
        )
        return self.conv(wide)  # type: ignore[no-any-return]


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
        if runs_in_pieces(spectrum) and len(spectrum) > 1:
            return torch.cat([self(one) for one in torch.split(spectrum, 1)])
        magnitude = torch.linalg.vector_norm(spectrum, dim=1, keepdim=True)
        x = torch.cat([magnitude, spectrum], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.dense_encoder(x).permute(0, 2, 3, 1)
        for i in range(self.sizes.blocks):
            x = self.get_submodule(f"TSCB_{i + 1}")(x)
        x = x.permute(0, 3, 1, 2)
        return spectrum * self.mask_decoder(x).unsqueeze(1) + self.complex_decoder(x)  # type: ignore[no-any-return]
