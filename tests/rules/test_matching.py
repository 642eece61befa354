"""Rules meet records: certain, conditional, unresolved and passed, with the trail that tells why."""

from __future__ import annotations

from cmgan_audit.finding import Confidence, Severity
from cmgan_audit.rules.matching import match
from cmgan_audit.rules.record import Known, OneOf, Unknown

RANDOM = 'role == "train" and dataset.random_crop'


def test_a_certain_value_is_found_where_it_is_set(lab, compiled):
    loader = lab.Loader(
        location=lab.place(88),
        anchor="load_data.train",
        role=Known("train", lab.trail(90, "iterated by the training loop")),
        batch_size=Known(1, lab.trail(18, "--batch_size defaults to 1")),
        trail=lab.trail(88, "the loader takes it"),
    )
    [finding] = match([loader], [compiled(at="batch_size")]).findings
    assert (finding.rule, finding.location.line, finding.message) == ("LAB101", 18, "batch 1")
    assert (finding.severity, finding.confidence) == (Severity.ERROR, Confidence.HIGH)
    assert [step.location.line for step in finding.trail] == [18, 90, 88]
    assert finding.anchor == "load_data.train"


def test_the_place_is_the_record_without_at(lab, compiled):
    loader = lab.Loader(location=lab.place(88), batch_size=Known(1, lab.trail(18, "set here")))
    assert match([loader], [compiled()]).findings[0].location.line == 88


def test_unknown_is_unresolved_with_its_reason_never_silent(lab, compiled):
    loader = lab.Loader(location=lab.place(88), batch_size=Unknown("takes **kwargs from build()", formula="8 // world"))
    matches = match([loader], [compiled(pass_when='role == "train"', passed="fine")])
    assert not matches.findings and not matches.passed
    assert matches.unresolved[0].reason == "batch_size (8 // world): takes **kwargs from build()"


def test_a_false_conjunct_settles_an_unknown_one(lab, compiled):
    loader = lab.Loader(location=lab.place(1), role=Known("eval"), batch_size=Unknown("no idea"))
    matches = match([loader], [compiled()])
    assert not matches.findings and not matches.unresolved


def test_possibilities_that_all_hold_are_certain(lab, compiled):
    sizes = OneOf((Known(1, lab.trail(3, "one")), Known(2, lab.trail(5, "two"))))
    matches = match([lab.Loader(location=lab.place(9), batch_size=sizes)], [compiled(at="batch_size")])
    assert [step.location.line for step in matches.findings[0].trail] == [3, 5]
    assert not matches.unresolved


def test_a_documented_configuration_is_named_in_the_trail(lab, compiled):
    sizes = OneOf(
        (
            Known(8, lab.trail(3, "defaults to 8"), condition="the default"),
            Known(1, lab.trail(2, "sets --batch_size 1", "run.sh"), condition="launched by run.sh"),
        )
    )
    [finding] = match([lab.Loader(location=lab.place(9), batch_size=sizes)], [compiled(at="batch_size")]).findings
    assert finding.message == "batch 1"
    assert finding.location.path == "run.sh"
    assert finding.severity is Severity.WARNING  # wrong under a condition that the trail names
    assert finding.trail[0].note == "sets --batch_size 1 (in this configuration: launched by run.sh)"


def test_configurations_that_share_a_step_are_named_there_together(lab, compiled):
    shared = lab.trail(3, "2 if short else 1")
    sizes = OneOf(
        (
            Known(2, shared, condition="net == 'a'"),
            Known(1, shared, condition="net == 'b'"),
            Known(8, lab.trail(5, "the default"), condition="the default"),
        )
    )
    [finding] = match([lab.Loader(location=lab.place(9), batch_size=sizes)], [compiled(at="batch_size")]).findings
    [step] = [step for step in finding.trail if step.location.line == 3]
    assert step.note == "2 if short else 1 (in these configurations: net == 'a'; net == 'b')"


def test_a_possibility_that_nothing_selects_is_unresolved(lab, compiled):
    sizes = OneOf((Known(8), Known(1)))
    matches = match([lab.Loader(location=lab.place(9), batch_size=sizes)], [compiled()])
    assert not matches.findings
    assert matches.unresolved[0].reason == "it depends on which of several possible values batch_size (8, 1) takes"


def test_what_an_undecided_rule_depends_on_is_told_with_its_conditions(lab, compiled):
    sizes = OneOf((Known(1, condition="gpus > 1"), Known(8, condition="not (gpus > 1)")))
    steps = OneOf((Known(8), Known(1)))
    rule = compiled(when="batch_size < 4 and accumulated == 1")
    matches = match([lab.Loader(location=lab.place(9), batch_size=sizes, accumulated=steps)], [rule])
    said = "batch_size (1 where gpus > 1, 8 where not (gpus > 1)), accumulated (8, 1)"
    assert not matches.findings
    assert matches.unresolved[0].reason == f"it depends on which of several possible values {said} takes"


def test_two_fields_of_one_configuration_are_chosen_together(lab, compiled):
    """Small batches only come with accumulation here, so the rule is true in no configuration that exists."""
    sizes = OneOf((Known(1, condition="small"), Known(8, condition="big")))
    steps = OneOf((Known(8, condition="small"), Known(1, condition="big")))
    loader = lab.Loader(location=lab.place(9), batch_size=sizes, accumulated=steps)
    matches = match([loader], [compiled(when="batch_size < 4 and accumulated < 4")])
    assert not matches.findings and not matches.unresolved


def test_an_absent_neighbour_is_unknown_and_a_guard_settles_it(lab, compiled):
    loader = lab.Loader(location=lab.place(9))
    assert "there is no dataset here" in match([loader], [compiled(when=RANDOM)]).unresolved[0].reason
    guarded = match([loader], [compiled(when="dataset is not None and dataset.random_crop")])
    assert not guarded.unresolved and not guarded.findings


def test_a_link_may_itself_be_unknown(lab, compiled):
    loader = lab.Loader(location=lab.place(9), dataset=Unknown("the class comes from importlib"))
    assert match([loader], [compiled(when=RANDOM)]).unresolved[0].reason == "dataset: the class comes from importlib"


def test_the_place_behind_a_link_and_the_anchor_of_its_record(lab, compiled):
    dataset = lab.Dataset(
        location=lab.place(20, "data.py"), anchor="Speech", random_crop=Known(True, lab.trail(47, "randint", "data.py"))
    )
    loader = lab.Loader(location=lab.place(9), anchor="train_loader", dataset=dataset)
    rule = compiled(when=RANDOM, at="dataset.random_crop", message="{dataset.name} at {location}: {role}")
    [finding] = match([loader], [rule]).findings
    assert (str(finding.location), finding.anchor) == ("data.py:47", "Speech")
    assert finding.message == "Speech at train.py:9: train"


def test_any_names_its_witness(lab, compiled):
    loops = (
        lab.Loop(location=lab.place(1), name="good"),
        lab.Loop(location=lab.place(2), name="bad", eval_mode=Known(False, lab.trail(30, "no eval()"))),
    )
    rule = compiled(when="any(not loop.eval_mode for loop in loops)", at="loop.eval_mode", message="{loop.name}")
    [finding] = match([lab.Loader(location=lab.place(9), loops=loops)], [rule]).findings
    assert (finding.message, finding.location.line) == ("bad", 30)


def test_any_and_all_over_unknown_members(lab, compiled):
    unknown = lab.Loop(location=lab.place(1), eval_mode=Unknown("who knows"))
    good, bad = (lab.Loop(location=lab.place(2), eval_mode=Known(value)) for value in (True, False))
    any_bad = compiled(when="any(not loop.eval_mode for loop in loops)")
    all_good = compiled(when="all(loop.eval_mode for loop in loops)")

    def verdicts(rule, *loops):
        matches = match([lab.Loader(location=lab.place(9), loops=loops)], [rule])
        return len(matches.findings), len(matches.unresolved)

    assert verdicts(any_bad, unknown, bad) == (1, 0)
    assert verdicts(any_bad, unknown, good) == (0, 1)
    assert verdicts(any_bad, good) == (0, 0)
    assert verdicts(any_bad) == (0, 0)
    assert verdicts(all_good, unknown, bad) == (0, 0)
    assert verdicts(all_good, unknown, good) == (0, 1)
    assert verdicts(all_good) == (1, 0)


def test_guards_of_any_and_all(lab, compiled):
    loop = lab.Loop(location=lab.place(1), name="train", eval_mode=Known(False))
    loader = lab.Loader(location=lab.place(9), loops=(loop,))
    guarded_any = compiled(when='any(not x.eval_mode for x in loops if x.name != "train")')
    guarded_all = compiled(when='all(x.eval_mode for x in loops if x.name != "train")')
    assert not match([loader], [guarded_any]).findings
    assert match([loader], [guarded_all]).findings


def test_severity_may_depend_on_conditions(lab, compiled):
    cases = [{"when": "accumulated >= 4", "is": "warning"}, {"is": "error"}]

    def grade(accumulated):
        loader = lab.Loader(location=lab.place(9), batch_size=Known(1), accumulated=accumulated)
        [finding] = match([loader], [compiled(severity=cases)]).findings
        return finding.severity, finding.confidence

    assert grade(Known(4)) == (Severity.WARNING, Confidence.HIGH)
    assert grade(Known(1)) == (Severity.ERROR, Confidence.HIGH)
    assert grade(Unknown("?")) == (Severity.ERROR, Confidence.MEDIUM)


def test_confidence_is_that_of_the_weakest_fact(lab, compiled):
    loader = lab.Loader(location=lab.place(9), batch_size=Known(1, confidence=Confidence.LOW))
    assert match([loader], [compiled()]).findings[0].confidence is Confidence.LOW


def test_parameters_of_the_project_replace_the_defaults(lab, compiled):
    rule = compiled(when="batch_size < smallest", params={"smallest": 4}, message="{batch_size} < {smallest}")
    loader = lab.Loader(location=lab.place(9), batch_size=Known(6))
    assert not match([loader], [rule]).findings
    assert match([loader], [rule], {"LAB101": {"smallest": 8}}).findings[0].message == "6 < 8"


def test_passed_tells_the_evidence_for_records_that_were_looked_at(lab, compiled):
    rule = compiled(pass_when='role == "train"', passed="batch_size is {batch_size}")
    loaders = [
        lab.Loader(location=lab.place(1), batch_size=Known(4)),
        lab.Loader(location=lab.place(2), role=Known("eval")),
    ]
    [passed] = match(loaders, [rule]).passed
    assert (passed.location.line, passed.evidence) == (1, "batch_size is 4")


def test_two_ways_to_one_place_are_one_finding_with_both_ways(lab, compiled):
    dataset = lab.Dataset(location=lab.place(20), random_crop=Known(True, lab.trail(47, "randint")))
    loaders = [
        lab.Loader(location=lab.place(line), dataset=dataset, trail=lab.trail(line, f"loader {line}"))
        for line in (5, 6)
    ]
    [finding] = match(loaders, [compiled(when=RANDOM, at="dataset.random_crop")]).findings
    assert [step.location.line for step in finding.trail] == [47, 5, 6]


def test_values_of_different_types_are_unknown_not_a_crash(lab, compiled):
    loader = lab.Loader(location=lab.place(9), batch_size=Known("four"))
    [unresolved] = match([loader], [compiled()]).unresolved
    assert "'four' cannot be compared with 4" in unresolved.reason


def test_messages_join_what_a_relation_holds(lab, compiled):
    norms = (Known("BatchNorm1d"), Known("BatchNorm2d"), Known("SyncBatchNorm"))
    loops = (lab.Loop(location=lab.place(1), name="a"), lab.Loop(location=lab.place(2), name="b"))
    loader = lab.Loader(location=lab.place(9), batch_size=Known(1), norms=norms, loops=loops)
    [finding] = match([loader], [compiled(message="{norms}; {loops.name}; {dataset.name}")]).findings
    assert finding.message == "BatchNorm1d, BatchNorm2d and SyncBatchNorm; a and b; none"
