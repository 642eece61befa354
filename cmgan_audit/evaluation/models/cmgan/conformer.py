"""Conformer block of CMGAN (arXiv:2209.11112, section III-B; Gulati et al. 2020).

It looks along sequences [sequences, n, channels]: the rows or the columns of a feature map. Linear layers, layer norms
and the depthwise convolution all want the channels last, so nothing is transposed inside. Submodules carry the names
of the public implementation's, because checkpoints carry them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cmgan_audit.evaluation.models.cmgan.attention import relative_attention
from cmgan_audit.lazy_dataclasses import dataclass

DROPOUT = 0.2


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
    """The residual of a Macaron-style feed-forward layer: half of what it gives is added."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return torch.add(x, self.fn(x), alpha=0.5)


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


class Attention(nn.Module):
    """Multi-head self-attention with relative positions."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.max_distance = sizes.max_distance
        inner = sizes.heads * sizes.head_width
        self.to_q = nn.Linear(sizes.channels, inner, bias=False)
        self.to_kv = nn.Linear(sizes.channels, inner * 2, bias=False)
        self.to_out = nn.Linear(inner, sizes.channels)
        self.rel_pos_emb = nn.Embedding(2 * sizes.max_distance + 1, sizes.head_width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [sequences, n, channels]."""
        sequences, n, _ = x.shape
        scale = (self.to_q.out_features // self.heads) ** -0.5
        projected = F.linear(x, torch.cat([self.to_q.weight * scale, self.to_kv.weight]))
        split = projected.view(sequences, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = split.reshape(3, sequences * self.heads, n, -1)
        attended = relative_attention(query, key, value, self.rel_pos_emb.weight, self.max_distance)
        attended = attended.view(sequences, self.heads, n, -1).transpose(1, 2).flatten(2)
        return self.dropout(self.to_out(attended))  # type: ignore[no-any-return]


class DepthwiseConv(nn.Module):
    """Depthwise convolution along the sequences; its weight is that of a Conv1d, as in checkpoints."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, groups=channels)

    def forward(self, x: Tensor, norm: nn.BatchNorm1d) -> Tensor:
        """Keep the shape [sequences, n, channels]; the batch norm behind it is applied too.

        In inference that norm is a scale and a shift of each channel, so it goes into weight and bias.
        """
        weight, bias = self.conv.weight, self.conv.bias
        assert bias is not None and norm.running_mean is not None and norm.running_var is not None
        if not self.training:
            scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
            weight, bias = weight * scale.view(-1, 1, 1), torch.addcmul(norm.bias, bias - norm.running_mean, scale)
        rows = x.unsqueeze(0).permute(0, 3, 1, 2)  # the sequences are the rows of one map with the channels last
        padding = weight.shape[-1] // 2  # an odd kernel: the length is kept
        rows = F.conv2d(rows, weight.unsqueeze(2), bias, padding=(0, padding), groups=len(weight))
        if self.training:
            rows = norm(rows.flatten(2)).view(rows.shape)
        return rows.squeeze(0).permute(1, 2, 0)


class ConvModule(nn.Module):
    """Layer norm, gated pointwise convolution, depthwise convolution, batch norm, swish, pointwise convolution."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        inner = 2 * channels
        # Place 1 is a transposition in the public implementation; there is nothing to transpose here.
        self.net = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Identity(),
            nn.Conv1d(channels, 2 * inner, 1),
            nn.GLU(dim=-1),
            DepthwiseConv(inner, kernel_size),
            nn.BatchNorm1d(inner),
            nn.SiLU(inplace=True),
            nn.Conv1d(inner, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [sequences, n, channels]."""
        norm, _, widen, gate, depthwise, batch_norm, swish, narrow = self.net
        x = gate(_pointwise(widen, norm(x)))
        return _pointwise(narrow, swish(depthwise(x, batch_norm)))


def _pointwise(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution of one tap is a linear layer over the channels."""
    assert isinstance(conv, nn.Conv1d)
    return F.linear(x, conv.weight.squeeze(-1), conv.bias)


class Conformer(nn.Module):
    """Feed-forward, attention, convolution, feed-forward, layer norm."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        channels = sizes.channels
        self.ff1 = HalfStep(PreNorm(channels, FeedForward(channels, sizes.expansion)))
        self.attn = PreNorm(channels, Attention(sizes))
        self.conv = ConvModule(channels, sizes.kernel_size)
        self.ff2 = HalfStep(PreNorm(channels, FeedForward(channels, sizes.expansion)))
        self.post_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape [sequences, n, channels]."""
        x = self.ff1(x)
        x = x + self.attn(x)
        x = x + self.conv(x)
        return self.post_norm(self.ff2(x))  # type: ignore[no-any-return]
