"""What is chosen to be heard, that it is what was scored, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.errors import AuditError
from cmgan_audit.evaluation import listening as module
from cmgan_audit.evaluation.comparing import Question
from cmgan_audit.evaluation.concluding import Described, Evidence, conclude
from cmgan_audit.evaluation.listening import Choice, choose, listen
from cmgan_audit.evaluation.material.segments import FULL
from cmgan_audit.evaluation.material.strata import Strata
from cmgan_audit.evaluation.metrics import CompositeScale, Status
from cmgan_audit.evaluation.models.sources import ModelOptions
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from tests.evaluation.conftest import read


def judged(
    scores: dict[str, dict[tuple[str, str], float]], metric: str = "ssnr", baseline: str | None = None
) -> ComparisonResult:
    rows = [
        Row(name, utterance, segment, metric, value, Status.OK)
        for name, values in scores.items()
        for (utterance, segment), value in values.items()
    ]
    names = sorted({row.utterance for row in rows})
    order = [name for name in scores if name != baseline]
    systems = [Described(name, name, "0" * 64, None) for name in scores]
    question = Question(order, baseline, (metric,), 0.1, False, Strata())
    return conclude(ScoreTable(rows), question, Evidence(systems, names, "full", "s", []), None)


def options(data: Path, *checkpoints: Path, **changes) -> CompareOptions:
    values = {
        "checkpoints": tuple(str(path) for path in checkpoints),
        "clean": data / "clean",
        "noisy": data / "noisy",
        "metrics": ("ssnr",),
        "segments": FULL,
        "segment_lock": None,
        "baseline": None,
        "floor": 0.25,
        "gate_any": False,
        "fail_on": None,
        "model": ModelOptions(),
        "jobs": 1,
        "limit": None,
        "until_decided": False,
        "strata": None,
        "train_data": None,
        "scores": (),
        "composite_scale": CompositeScale.INT16,
        "resample": False,
        "strict": False,
        "cache": None,
        **changes,
    }
    return CompareOptions(**values)


def full(**values: float) -> dict[tuple[str, str], float]:
    return {(name, "full"): value for name, value in values.items()}


def test_the_largest_changes_of_both_directions_are_chosen() -> None:
    result = judged({"a": full(u=1.0, v=2.0, w=3.0, x=4.0, y=5.0), "b": full(u=2.0, v=1.0, w=0.0, x=4.0, y=5.1)})
    worse, better = choose(result, 2)
    assert [one.utterance for one in worse] == ["w", "v"]
    assert [one.utterance for one in better] == ["u", "y"]
    assert worse[0].difference == -3.0


def test_where_less_is_better_a_rise_is_worse() -> None:
    result = judged({"a": full(u=1.0, v=2.0), "b": full(u=3.0, v=1.0)}, metric="wer")
    worse, better = choose(result)
    assert [one.utterance for one in worse] == ["u"] and [one.utterance for one in better] == ["v"]


def test_of_several_segments_the_one_that_changed_most() -> None:
    before = {("u", "0+100"): 2.0, ("u", "100+100"): 2.0, ("v", "0+100"): 2.0}
    after = {("u", "0+100"): 1.9, ("u", "100+100"): 1.0, ("v", "0+100"): 1.5}
    worse, _ = choose(judged({"a": before, "b": after}))
    assert [(one.utterance, one.segment) for one in worse] == [("u", "100+100"), ("v", "0+100")]


def test_one_checkpoint_alone_gives_its_lowest_and_highest() -> None:
    worse, better = choose(judged({"a": full(u=1.0, v=2.0, w=3.0, x=4.0)}), 1)
    assert [one.utterance for one in worse] == ["u"] and [one.utterance for one in better] == ["x"]
    assert worse[0].difference is None


def test_folders_are_heard_as_they_are(small_set: Path, outputs: Callable[..., Path]) -> None:
    one = outputs(small_set, "one", lambda _, clean, noisy: 0.9 * clean)
    two = outputs(small_set, "two", lambda name, clean, noisy: None if name == "ben_001" else 0.5 * noisy)
    result = judged({"one": full(ada_001=2.0, ben_001=2.0), "two": full(ada_001=1.0, ben_001=1.5)})
    heard = listen(options(small_set, one, two), result, pytest.fail)
    first, second = heard.worse
    assert first.choice.utterance == "ada_001" and list(first.outputs) == ["one", "two"]
    assert np.array_equal(first.outputs["two"], read(two / "ada_001.wav"))
    assert np.array_equal(first.clean, read(small_set / "clean" / "ada_001.wav"))
    assert second.outputs["two"] == "no output of this utterance"
    assert heard.better == [] and heard.note == ""


def test_only_the_scored_segment_is_heard(small_set: Path, outputs: Callable[..., Path]) -> None:
    one = outputs(small_set, "one", lambda _, clean, noisy: clean)
    result = judged(
        {"noisy": {("ada_001", "4000+8000"): 2.0}, "one": {("ada_001", "4000+8000"): 1.0}}, baseline="noisy"
    )
    (excerpt,) = listen(options(small_set, one, baseline="noisy"), result, pytest.fail).worse
    assert list(excerpt.outputs) == ["one"]  # the noisy input is heard already
    assert excerpt.start == 0.25
    assert np.array_equal(excerpt.outputs["one"], read(one / "ada_001.wav")[4000:12000])


def test_a_folder_of_the_name_clean_does_not_take_the_place_of_the_reference(
    small_set: Path, outputs: Callable[..., Path]
) -> None:
    one = outputs(small_set, "one", lambda _, clean, noisy: 0.5 * noisy)
    result = judged({"one": full(ada_001=1.0), "clean": full(ada_001=2.0)})
    (excerpt,) = listen(options(small_set, one, small_set / "clean"), result, pytest.fail).better
    assert np.array_equal(excerpt.clean, excerpt.outputs["clean"])
    assert not np.array_equal(excerpt.clean, excerpt.outputs["one"])


def test_the_excerpt_lies_where_the_outputs_differ_most(
    small_set: Path, outputs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXCERPT_SECONDS", 0.25)

    def late(_: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        changed = clean.copy()
        changed[8000:12000] += 0.2
        return changed

    one = outputs(small_set, "one", lambda _, clean, noisy: clean)
    two = outputs(small_set, "two", late)
    result = judged({"one": full(ada_001=2.0), "two": full(ada_001=1.0)})
    (excerpt,) = listen(options(small_set, one, two), result, pytest.fail).worse
    assert excerpt.start == 0.5
    assert excerpt.clean.size == excerpt.noisy.size == 4000


MODEL = """
import os
from pathlib import Path


def load(checkpoint, device):
    def enhance(noisy):
        with (Path(__file__).parent / "calls").open("a") as calls:
            calls.write("x")
        return 0.5 * noisy

    return enhance
"""


@pytest.mark.usefixtures("forked_hosts")
def test_a_checkpoint_enhances_a_few_again_and_only_once(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(name.encode())
    names = ("ada_001", "ben_001", "cleo_001")
    result = judged({"a.pth": full(**dict.fromkeys(names, 2.0)), "b.pth": full(ada_001=0.0, ben_001=1.0, cleo_001=1.5)})
    seconds = read(small_set / "clean" / "ada_001.wav").size / 16_000
    monkeypatch.setattr(module, "MOST_SECONDS_OF_A_MODEL", seconds + 0.1)
    asked = options(
        small_set,
        tmp_path / "a.pth",
        tmp_path / "b.pth",
        model=ModelOptions(model=f"{tmp_path / 'model.py'}:load"),
        cache=tmp_path / "cache",
    )
    said: list[str] = []
    first = listen(asked, result, said.append)
    assert [one.choice.utterance for one in first.worse] == ["ada_001"]
    assert "enhanced again were 1 utterance," in first.note and len(said) == 1
    noisy = read(small_set / "noisy" / "ada_001.wav").astype(np.float32)
    assert np.array_equal(first.worse[0].outputs["b.pth"], (0.5 * noisy).astype(np.float64))
    calls = (tmp_path / "calls").stat().st_size
    again = listen(asked, result, said.append)
    assert (tmp_path / "calls").stat().st_size == calls  # from the cache
    assert np.array_equal(again.worse[0].outputs["a.pth"], first.worse[0].outputs["a.pth"])


def test_a_system_that_cannot_be_opened_again_is_named(
    small_set: Path, outputs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = outputs(small_set, "one", lambda _, clean, noisy: clean)
    two = outputs(small_set, "two", lambda _, clean, noisy: noisy)
    result = judged({"one": full(ada_001=2.0), "two": full(ada_001=1.0)})
    take = module.Source.open

    def refuse(self: module.Source, pairs: object, among: object) -> object:
        if self.name == "one":
            raise AuditError("one: gone")
        return take(self, pairs, among)  # type: ignore[arg-type]

    monkeypatch.setattr(module.Source, "open", refuse)
    (excerpt,) = listen(options(small_set, one, two), result, pytest.fail).worse
    assert excerpt.outputs["one"] == "one: gone"
    assert isinstance(excerpt.outputs["two"], np.ndarray)


def test_scores_of_other_programs_cannot_be_heard(small_set: Path) -> None:
    heard = listen(options(small_set, scores=(Path("scores.csv"),)), judged({"a": full(u=1.0)}), pytest.fail)
    assert "no audio" in heard.note and not heard.worse


def test_a_checkpoint_without_any_score_is_not_enhanced_again(small_set: Path, tmp_path: Path) -> None:
    """Nor is anything announced: there is no utterance to choose."""
    paths = [tmp_path / name for name in ("epoch_1.pth", "epoch_2.pth")]
    for path in paths:
        path.touch()
    result = judged({"epoch_1.pth": full(ada_001=1.0), "epoch_2.pth": {}})
    heard = listen(options(small_set, *paths), result, pytest.fail)
    assert (list(heard.worse), list(heard.better)) == ([], [])
    assert heard.note == "epoch_2.pth has no score, so there is nothing to choose from."


def test_a_choice_without_comparison_has_no_difference() -> None:
    assert Choice("u", "full", None, 1.0).difference is None
