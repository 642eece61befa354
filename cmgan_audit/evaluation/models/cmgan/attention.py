"""Self-attention with relative positions (Shaw et al. 2018) that never holds the scores of a whole utterance."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_QUERY_BLOCK = 128
"""Queries per step: wide enough for efficient products, so small that a block of scores stays in the cache."""


def relative_attention(query: Tensor, key: Tensor, value: Tensor, embedding: Tensor, max_distance: int) -> Tensor:
    """Attention whose scores are `q_i . (k_j + e(i - j)) / sqrt(d)`, distances clamped to +-max_distance.

    The position scores of a block of queries come from one product with the embeddings of all distances that the
    block can see; reading that product along its diagonals puts distance i - j at column j without a copy. So
    memory grows with the length n, not with its square.

    Args:
        query: [sequences, heads, n, d]; `key` and `value` have the same shape.
        embedding: [2 * max_distance + 1, d], row r for distance r - max_distance.
        max_distance: distances beyond it share one embedding.

    Returns:
        [sequences, heads, n, d].
    """
    sequences, heads, n, d = query.shape
    scale = d**-0.5
    blocks = []
    for start in range(0, n, _QUERY_BLOCK):
        block = query[:, :, start : start + _QUERY_BLOCK]
        rows = block.shape[2]
        # Column c of `near` is distance (start + rows - 1) - c: falling, so that key j of query start + i stands at
        # column rows - 1 - i + j.
        distances = torch.arange(start + rows - 1, start - n, -1, device=query.device)
        near = embedding[distances.clamp(-max_distance, max_distance) + max_distance] * scale
        width = rows + n - 1
        scores = torch.matmul(block, near.transpose(0, 1)).contiguous()
        positions = scores.as_strided(
            (sequences, heads, rows, n),
            (heads * rows * width, rows * width, width - 1, 1),
            storage_offset=scores.storage_offset() + rows - 1,
        )
        blocks.append(F.scaled_dot_product_attention(block, key, value, attn_mask=positions, scale=scale))
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=2)
