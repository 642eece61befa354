"""Self-attention with relative positions (Shaw et al. 2018) that never holds the scores of a whole utterance."""

from __future__ import annotations

import torch
from torch import Tensor

_QUERY_BLOCK = 32
"""Queries per step: so few that a block of scores stays in the cache and that few distances are computed in vain."""


def relative_attention(query: Tensor, key: Tensor, value: Tensor, embedding: Tensor, max_distance: int) -> Tensor:
    """Attention whose scores are `q_i . (k_j + e(i - j))`, distances clamped to +-max_distance.

    The position scores of a block of queries come from one product with the embeddings of all distances that the
    block can see; reading that product along its diagonals puts distance i - j at column j without a copy. So
    memory grows with the length n, not with its square.

    Args:
        query: [sequences, n, d], a sequence being one head of one row of a feature map; `key` and `value` have the
            same shape. The usual 1 / sqrt(d) is part of the query.
        embedding: [2 * max_distance + 1, d], row r for distance r - max_distance.
        max_distance: distances beyond it share one embedding.

    Returns:
        [sequences, n, d].
    """
    sequences, n, d = query.shape
    key = key.transpose(1, 2)
    attended = torch.empty_like(value)
    for start in range(0, n, _QUERY_BLOCK):
        block = query[:, start : start + _QUERY_BLOCK]
        rows = block.shape[1]
        width = rows + n - 1
        # Column c of `by_distance` is distance (start + rows - 1) - c: falling, so that key j of query start + i stands
        # at column rows - 1 - i + j.
        distances = torch.arange(start + rows - 1, start - n, -1, device=query.device)
        near = embedding[distances.clamp_(-max_distance, max_distance) + max_distance]
        by_distance = block.reshape(-1, d) @ near.transpose(0, 1)
        positions = by_distance.as_strided(
            (sequences, rows, n),
            (rows * width, width - 1, 1),
            storage_offset=by_distance.storage_offset() + rows - 1,
        )
        scores = torch.bmm(block, key).add_(positions)
        attended[:, start : start + rows] = torch.bmm(scores.softmax(dim=-1), value)
    return attended
