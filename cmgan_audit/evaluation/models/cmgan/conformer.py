"""Conformer block of CMGAN (arXiv:2209.11112, section III-B; Gulati et al. 2020), over one axis of a feature map.

Feature maps are [batch, time, frequency, channels] from end to end: linear layers, layer norms and the depthwise
convolution all want the channels last, so nothing is transposed between them. Submodules carry the names of the
public implementation's, because checkpoints carry them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cmgan_audit.evaluation.models.cmgan.attention import relative_attention

DROPOUT = 0.2

TIME_AXIS = 1
FREQUENCY_AXIS = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """Everything about a TSCNet that the shapes of its tensors show; the defaults are the paper's.

    Attributes:
        channels: width of all feature maps.
        features: frequencies of the spectrum, n_fft // 2 + 1.
        blocks: number of two-stage conformers.
        heads: of the attention.
        head_width: channels per head.
        max_distance: distance in positions from which on all share one embedding.
        kernel_size: of the depthwise convolution.
        expansion: width of the feed-forward layers as a multiple of the channels.
    """

    channels: int = 64
    features: int = 201
    blocks: int = 4
    heads: int = 4
    head_width: int = 16
    max_distance: int = 512
    kernel_size: int = 31
    expansion: int = 4


class PreNorm(nn.Module):
    """Layer norm, then a layer."""

    def __init__(self, channels: int, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return self.fn(self.norm(x))  # type: ignore[no-any-return]


class HalfStep(nn.Module):
    """Half of what a layer gives: the Macaron-style feed-forward residual."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return 0.5 * self.fn(x)  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Two linear layers with a swish between them."""

    def __init__(self, channels: int, expansion: int) -> None:
        super().__init__()
        wide = expansion * channels
        self.net = nn.Sequential(
            nn.Linear(channels, wide),
            nn.SiLU(inplace=True),
            nn.Dropout(DROPOUT),
            nn.Linear(wide, channels),
            nn.Dropout(DROPOUT),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return self.net(x)  # type: ignore[no-any-return]


class AxisAttention(nn.Module):
    """Multi-head self-attention with relative positions along one axis of the feature map."""

    def __init__(self, sizes: Sizes, axis: int) -> None:
        super().__init__()
        self.axis = axis
        self.heads = sizes.heads
        self.max_distance = sizes.max_distance
        inner = sizes.heads * sizes.head_width
        self.to_q = nn.Linear(sizes.channels, inner, bias=False)
        self.to_kv = nn.Linear(sizes.channels, inner * 2, bias=False)
        self.to_out = nn.Linear(inner, sizes.channels)
        self.rel_pos_emb = nn.Embedding(2 * sizes.max_distance + 1, sizes.head_width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, time, frequency, channels]."""
        query, key, value = (self._sequences(part) for part in (self.to_q(x), *self.to_kv(x).chunk(2, dim=-1)))
        attended = relative_attention(query, key, value, self.rel_pos_emb.weight, self.max_distance)
        batch, time, frequency, _ = x.shape
        if self.axis == TIME_AXIS:
            attended = attended.view(batch, frequency, self.heads, time, -1).permute(0, 3, 1, 2, 4)
        else:
            attended = attended.view(batch, time, self.heads, frequency, -1).permute(0, 1, 3, 2, 4)
        return self.dropout(self.to_out(attended.flatten(-2)))  # type: ignore[no-any-return]

    def _sequences(self, x: Tensor) -> Tensor:
        """[batch, time, frequency, heads * d] -> [sequences, heads, n, d] along the axis."""
        x = x.view(*x.shape[:3], self.heads, -1)
        x = x.permute(0, 2, 3, 1, 4) if self.axis == TIME_AXIS else x.permute(0, 1, 3, 2, 4)
        return x.flatten(0, 1)


class DepthwiseConv(nn.Module):
    """Depthwise convolution along one axis; its weight is that of a Conv1d, as in checkpoints."""

    def __init__(self, channels: int, kernel_size: int, axis: int) -> None:
        super().__init__()
        self.axis = axis
        self.conv = nn.Conv1d(channels, channels, kernel_size, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, channels, time, frequency]."""
        weight = self.conv.weight
        half = weight.shape[-1] // 2  # an odd kernel: the length is kept
        if self.axis == TIME_AXIS:
            weight, padding = weight.unsqueeze(3), (half, 0)
        else:
            weight, padding = weight.unsqueeze(2), (0, half)
        return F.conv2d(x, weight, self.conv.bias, padding=padding, groups=self.conv.groups)


class ConvModule(nn.Module):
    """Layer norm, gated pointwise convolution, depthwise convolution, batch norm, swish, pointwise convolution."""

    def __init__(self, channels: int, kernel_size: int, axis: int) -> None:
        super().__init__()
        inner = 2 * channels
        # Places 1 and 8 hold the transpositions of the public implementation; there is nothing to transpose here.
        self.net = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Identity(),
            nn.Conv1d(channels, 2 * inner, 1),
            nn.GLU(dim=-1),
            DepthwiseConv(inner, kernel_size, axis),
            nn.BatchNorm1d(inner),
            nn.SiLU(inplace=True),
            nn.Conv1d(inner, channels, 1),
            nn.Identity(),
            nn.Dropout(0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, time, frequency, channels]."""
        x = self._pointwise(2, self.net[0](x))
        x = self.net[4](self.net[3](x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = self.net[5](x.flatten(0, 2)).view(x.shape)
        return self.net[9](self._pointwise(7, self.net[6](x)))  # type: ignore[no-any-return]

    def _pointwise(self, place: int, x: Tensor) -> Tensor:
        """A convolution of one tap is a linear layer over the channels."""
        conv = self.net[place]
        assert isinstance(conv, nn.Conv1d)
        return F.linear(x, conv.weight.squeeze(-1), conv.bias)


class Conformer(nn.Module):
    """Feed-forward, attention, convolution, feed-forward, layer norm, along one axis of the feature map."""

    def __init__(self, sizes: Sizes, axis: int) -> None:
        super().__init__()
        channels = sizes.channels
        self.ff1 = HalfStep(PreNorm(channels, FeedForward(channels, sizes.expansion)))
        self.attn = PreNorm(channels, AxisAttention(sizes, axis))
        self.conv = ConvModule(channels, sizes.kernel_size, axis)
        self.ff2 = HalfStep(PreNorm(channels, FeedForward(channels, sizes.expansion)))
        self.post_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [batch, time, frequency, channels]."""
        x = x + self.ff1(x)
        x = x + self.attn(x)
        x = x + self.conv(x)
        x = x + self.ff2(x)
        return self.post_norm(x)  # type: ignore[no-any-return]


_TOKENS_AT_ONCE = 2048
"""Positions per piece in inference: their widest intermediate (4 x 64 channels) stays near the size of a cache."""


def apply_in_pieces(conformer: Conformer, x: Tensor, axis: int) -> Tensor:
    """`x + conformer(x)` for inference, a few sequences at a time, written over `x`.

    Sequences along `axis` do not see each other, so the result is the same and memory does not grow with their number.

    Args:
        conformer: in evaluation mode.
        x: [batch, time, frequency, channels]; overwritten.
        axis: the axis that the conformer looks along.
    """
    across = FREQUENCY_AXIS if axis == TIME_AXIS else TIME_AXIS
    step = max(1, _TOKENS_AT_ONCE // (x.shape[0] * x.shape[axis]))
    for piece in torch.split(x, step, dim=across):
        piece.add_(conformer(piece))
    return x
