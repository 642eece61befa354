"""What stays known of tests on one way through the program."""

from __future__ import annotations

from cmgan_audit.program.domain.facts import MOST_FACTS, Facts, Forks, both, is_fork


def test_of_too_many_facts_those_of_settings_and_the_latest_stay() -> None:
    forks = Forks()
    held: Facts = frozenset({("world_size > 1", True)})
    for _ in range(10 * MOST_FACTS):
        latest = frozenset({(forks.new(), False)})
        held = both(held, latest)
        assert len(held) <= MOST_FACTS
        assert latest < held
    assert ("world_size > 1", True) in held


def test_what_came_out_in_a_pass_tells_nothing_once_it_has_ended() -> None:
    forks = Forks()
    before = (forks.new(), True)
    with forks.in_a_pass():
        with forks.in_a_pass():
            inner = (forks.new(), True)
        outer = (forks.new(), False)
        assert forks.lasting(frozenset({before, inner, outer})) == {before, outer}
    assert forks.lasting(frozenset({before, inner, outer, ("world_size > 1", True)})) == {
        before,
        ("world_size > 1", True),
    }
    assert is_fork(before[0]) and forks.new() not in {before[0], inner[0], outer[0]}
