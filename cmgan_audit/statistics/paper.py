"""How far a result is from the published one, and when that may be said at all. Pure Python."""

from __future__ import annotations

from collections.abc import Collection

from cmgan_audit.lazy_dataclasses import dataclass

# Cao, Abdulatif, Yang: CMGAN (arXiv 2203.15149 and 2209.11112), VoiceBank+DEMAND test set, wide-band PESQ.
PUBLISHED_CMGAN = 3.41
TEST_SET_SIZE = 824
EXTERNAL = "external"  # in place of segments: scores that were computed elsewhere
TEST_SPEAKERS = ("p232_", "p257_")


@dataclass(frozen=True, slots=True)
class PaperDistance:
    """Distance of a mean wide-band PESQ to the published one; negative is below. `reason` is set when it is refused.

    Attributes:
        to_cmgan: mean minus 3.41, None when refused.
        reason: why the mean cannot be set beside the published one, None when it can.
    """

    to_cmgan: float | None
    reason: str | None = None


def distance_to_paper(mean: float, *, metric: str, segments: str, utterances: Collection[str]) -> PaperDistance:
    """Set a mean PESQ beside the published 3.41 of CMGAN, if it was measured on the same thing.

    Args:
        mean: mean PESQ.
        metric: name of the metric; published is wide-band `pesq`.
        segments: what was scored of each utterance; published is `full`.
        utterances: names of the utterances that have a valid score.
    """
    reason = _difference(metric, segments, utterances)
    if reason is not None:
        return PaperDistance(None, f"not comparable with the published {PUBLISHED_CMGAN}: {reason}")
    return PaperDistance(mean - PUBLISHED_CMGAN)


def _difference(metric: str, segments: str, utterances: Collection[str]) -> str | None:
    if metric != "pesq":
        return f"it is wide-band PESQ, this is {metric}"
    if segments == EXTERNAL:
        return "it is over whole utterances, and what other programs scored of an utterance is not known here"
    if segments != "full":
        return f"it is over whole utterances, this is over segments ({segments})"
    foreign = sorted(name for name in utterances if not name.startswith(TEST_SPEAKERS))
    if foreign:
        return f"it is on the VoiceBank+DEMAND test set (speakers p232 and p257), which has no utterance {foreign[0]}"
    if len(set(utterances)) != TEST_SET_SIZE:
        return f"it is over all {TEST_SET_SIZE} test utterances, this is over {len(set(utterances))}"
    return None
