"""From findings to fixes: each rule's fixer is asked, and what it would change is kept with the finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from cmgan_audit.finding import Finding, Fix, Location
from cmgan_audit.fixes.batch_size import set_batch_size
from cmgan_audit.fixes.case import Case, Fixer, Sources
from cmgan_audit.fixes.document import UnrecognisedShapeError, overlap
from cmgan_audit.fixes.evaluation_crop import cut_in_the_middle
from cmgan_audit.fixes.failed_items import keep_scored_items
from cmgan_audit.fixes.label_size import size_of_the_batch
from cmgan_audit.fixes.loader_flags import keep_last_batch, keep_order
from cmgan_audit.fixes.resuming import resume_when_asked
from cmgan_audit.fixes.samplers import tell_epoch, without_sampler
from cmgan_audit.fixes.weights_only import take_weights_only
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.rule import ParameterValue
from cmgan_audit.source.tree import SourceTree

FIXERS: Mapping[str, Fixer] = {
    "CMG101": set_batch_size,
    "CMG201": cut_in_the_middle,
    "CMG202": keep_last_batch,
    "CMG203": keep_order,
    "CMG204": without_sampler,
    "CMG211": tell_epoch,
    "CMG401": keep_scored_items,
    "CMG403": size_of_the_batch,
    "CMG601": resume_when_asked,
    "CMG604": take_weights_only,
}


def with_fixes(
    findings: Iterable[Finding],
    subjects: Mapping[tuple[str, Location | None], Sequence[Record]],
    records: Sequence[Record],
    parameters: Mapping[str, Mapping[str, ParameterValue]],
    tree: SourceTree,
) -> list[Finding]:
    """The same findings, each with the edits that would mend it, or why its shape gets none.

    Args:
        findings: what the rules found.
        subjects: the records behind the findings of a rule at a place.
        records: all records of the tree.
        parameters: per rule, what the rules went by.
        tree: the audited files.
    """
    sources = Sources(tree)
    mended = []
    for finding in findings:
        fixer = FIXERS.get(finding.rule)
        found = tuple(subjects.get((finding.rule, finding.location), ()))
        if fixer is not None and finding.fix is not None and found:
            case = Case(finding, found, tuple(records), parameters.get(finding.rule, {}), sources)
            finding = replace(finding, fix=_fix(fixer, case, finding.fix))
        mended.append(finding)
    return mended


def _fix(fixer: Fixer, case: Case, advice: Fix) -> Fix:
    try:
        repair = fixer(case)
    except UnrecognisedShapeError as error:
        return replace(advice, declined=str(error))
    if any(overlap(one, other) for one, other in combinations(repair.edits, 2)):
        return replace(advice, declined="its edits would overlap")
    safety, reason = repair.safety or advice.safety, repair.reason or advice.reason
    return Fix(repair.title, safety, repair.edits, reason)
