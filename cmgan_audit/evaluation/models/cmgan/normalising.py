"""Instance norm of feature maps that are computed tile by tile along time, as several cores do it fastest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from cmgan_audit.evaluation.models.cmgan.cores import on_all_cores
from cmgan_audit.lazy_dataclasses import dataclass

_TILE = 4096
"""Positions of a tile: at 64 channels it stays in a core's cache, and float32 sums over it keep all their digits."""


def runs_in_pieces(x: Tensor) -> bool:
    """Whether a map is cut into pieces: in inference on the CPU. Elsewhere operators take the whole batch at once."""
    return not torch.is_grad_enabled() and not x.is_cuda


def norm_and_prelu(
    compute: Callable[[int, int], Tensor], shape: Sequence[int], norm: nn.Module, prelu: nn.Module
) -> Tensor:
    """Instance norm and PReLU of a feature map.

    Args:
        compute: gives frames `start` to `stop` of the map: [batch, channels, stop - start, frequency].
        shape: of the whole map, [batch, channels, time, frequency]; in pieces the batch is 1.
        norm: an InstanceNorm2d with scale and shift.
        prelu: what is applied to the normed map.

    Returns:
        A map of this shape in the channels-last format.
    """
    assert isinstance(norm, nn.InstanceNorm2d)
    frames = shape[2]
    if not runs_in_pieces(norm.weight):
        result: Tensor = prelu(norm(compute(0, frames)))
        return result.contiguous(memory_format=torch.channels_last)
    tiles = list(_tiles(shape))
    parts = on_all_cores(lambda tile: _with_moments(compute(*tile)), tiles)
    scale, shift = _scale_and_shift([moments for _, moments in parts], norm)
    result = torch.empty(tuple(shape), dtype=norm.weight.dtype, memory_format=torch.channels_last)

    def finish(index: int) -> None:
        start, stop = tiles[index]
        result[:, :, start:stop] = prelu(torch.addcmul(shift, parts[index][0], scale))

    on_all_cores(finish, range(len(tiles)))
    return result


@dataclass(frozen=True, slots=True)
class _Moments:
    """Mean and variance of every channel over a number of positions."""

    mean: Tensor
    variance: Tensor
    count: int


def _tiles(shape: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First frame of every tile of a map, and the frame after its last."""
    frames = max(1, _TILE // shape[3])
    for start in range(0, shape[2], frames):
        yield start, min(start + frames, shape[2])


def _with_moments(x: Tensor) -> tuple[Tensor, _Moments]:
    positions = x.permute(0, 2, 3, 1).flatten(0, 2)
    mean = positions.mean(dim=0)
    return x, _Moments(mean, (positions - mean).square_().mean(dim=0), len(positions))


def _scale_and_shift(tiles: Sequence[_Moments], norm: nn.InstanceNorm2d) -> tuple[Tensor, Tensor]:
    """Instance norm as `x * scale + shift`, both [1, channels, 1, 1], from the moments of the tiles of a map."""
    counts = torch.tensor([tile.count for tile in tiles], dtype=norm.weight.dtype).unsqueeze(1)
    share = counts / counts.sum()
    means = torch.stack([tile.mean for tile in tiles])
    mean = (share * means).sum(dim=0)
    variance = (share * (torch.stack([tile.variance for tile in tiles]) + (means - mean) ** 2)).sum(dim=0)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale.view(1, -1, 1, 1), (norm.bias - mean * scale).view(1, -1, 1, 1)
