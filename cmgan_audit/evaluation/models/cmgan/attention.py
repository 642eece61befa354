"""Self-attention with relative positions (Shaw et al. 2018) that never holds the scores of a whole utterance."""

from __future__ import annotations

import torch
from torch import Tensor

_QUERY_BLOCK = 32
"""Queries per step: so few that a block of scores stays in the cache and that few distances are computed in vain."""


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
    query, value = (query * d**-0.5).flatten(0, 1), value.flatten(0, 1)
    key = key.flatten(0, 1).transpose(1, 2)
    blocks = []
    for start in range(0, n, _QUERY_BLOCK):
        block = query[:, start : start + _QUERY_BLOCK]
        rows = block.shape[1]
        # Column c of `by_distance` is distance (start + rows - 1) - c: falling, so that key j of query start + i stands
        # at column rows - 1 - i + j.
        distances = torch.arange(start + rows - 1, start - n, -1, device=query.device)
        near = embedding[distances.clamp(-max_distance, max_distance) + max_distance].transpose(0, 1)
        by_distance = torch.bmm(block, near.expand(len(block), -1, -1)).contiguous()
        width = rows + n - 1
        positions = by_distance.as_strided(
            (len(block), rows, n),
            (rows * width, width - 1, 1),
            storage_offset=by_distance.storage_offset() + rows - 1,
        )
        scores = torch.bmm(block, key).add_(positions)
        blocks.append(torch.bmm(scores.softmax(dim=-1), value))
    attended = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)
    return attended.unflatten(0, (sequences, heads))  # type: ignore[no-any-return, no-untyped-call]
