"""The text report: the whole output, as a person sees it."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.finding import Location, Step
from cmgan_audit.gate.audited import Audited, Coverage
from cmgan_audit.report.ansi import Ink
from cmgan_audit.report.check_text import render
from cmgan_audit.report.frame import draw
from cmgan_audit.report.sources import Sources

EXPECTED = """\
error[CMG901] Speech draws | a `random` segment
  --> data set/data.py:6:17
   |
 6 |         start = random.randint(0, length - self.cut)
   |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ randint picks the start
...
11 |     return DataLoader(
   |            ----------- the loader, of 100 % of the runs, reads it
   |
   = help: cut at the centre (unsafe fix)
   = more: cmgan-audit explain CMG901  (suppression-without-reason)

warning[CMG903] one item reaches the loader
  --> train.py:1:33
   |
 1 | parser.add_argument("--batch_size", default=1)
   |                                 ^^^^^^^^^ --batch_size defaults to 1
   |
  ::: data set/data.py:11:12
   |
11 |     return DataLoader(
   |            ----------- the loader takes it
   |
   = more: cmgan-audit explain CMG903  (unused-suppression)

could not be read
  old.py:3: invalid syntax

2 findings (1 error, 1 warning); 1 suppressed, 1 in the baseline, 2 ignored for their path, 1 fixable \
with --fix --unsafe-fixes
read 3 of 4 files; batch size resolved at 7 of 9 loaders; 1 question undecided: train.py:1: batch_size: takes **kwargs \
from build()
"""


def test_the_whole_output(audited):
    assert render(audited) == EXPECTED


def test_what_passed_is_shown_on_request(audited):
    text = render(audited, show_passed=True)
    assert "looked at and in order\n  CMG903 train.py:1: drop_last is False\n" in text
    assert "could not be decided\n  CMG901 train.py:1: batch_size: takes **kwargs from build()\n" in text


def test_nothing_found_still_says_what_was_seen(tmp_path):
    assert render(Audited(tmp_path, coverage=Coverage(5, 5, (), 2, 2))) == (
        "no findings\nread 5 of 5 files; batch size resolved at 2 of 2 loaders\n"
    )
    assert "no data loader found" in render(Audited(tmp_path, coverage=Coverage(1, 1)))


def test_colour_and_links_only_where_asked(audited):
    assert "\x1b" not in render(audited)
    colored = render(audited, color=True)
    assert "\x1b[1;31merror[CMG901]\x1b[0m" in colored
    assert "\x1b]8;;file:///" in colored


def framed(tmp_path, text, *places):
    (tmp_path / "a.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    return draw([Step(place, "here") for place in places], Sources(tmp_path), Ink(), "red")


def test_tabs_and_wide_characters_keep_the_marks_in_place(tmp_path):
    assert framed(tmp_path, "\tx = 1\n", Location("a.py", 1, 2, 1, 3))[2:4] == ["1 |     x = 1", "  |     ^ here"]
    assert framed(tmp_path, "音 = 1\n", Location("a.py", 1, 3, 1, 4))[2:4] == ["1 | 音 = 1", "  |    ^ here"]


def test_a_place_without_columns_marks_the_statement(tmp_path):
    assert framed(tmp_path, "    x = 1  \n", Location("a.py", 1))[3] == "  |     ^^^^^ here"


def test_a_place_without_an_end_marks_the_word(tmp_path):
    assert framed(tmp_path, "x = random.randint(0)\n", Location("a.py", 1, 5))[3] == "  |     ^^^^^^^^^^^^^^ here"


def test_a_long_line_is_shown_around_its_mark(tmp_path):
    text = "x" * 500 + " target " + "y" * 500
    shown, marks = framed(tmp_path, text, Location("a.py", 1, 502, 1, 508))[2:4]
    assert len(shown) < 130 and shown.startswith("1 | ...x") and shown.endswith("y...")
    assert shown[marks.index("^") : marks.index("^") + 6] == "target"


def test_lines_that_are_not_there_and_files_that_are_no_text(tmp_path):
    assert "(no source line to show)" in framed(tmp_path, "x\n", Location("a.py", 99))[2]
    assert "(no source line to show)" in framed(tmp_path, "x\n", Location("gone.py", 1))[2]
    assert framed(tmp_path, b"\xff\xfe = 1\n", Location("a.py", 1))


def test_a_file_cannot_steer_the_terminal(tmp_path):
    assert "\x1b" not in "".join(framed(tmp_path, "x = '\x1b[2J'\n", Location("a.py", 1)))


def test_a_finding_without_a_trail_shows_its_place(audited):
    bare = replace(audited, findings=(replace(audited.findings[1], trail=()),))
    assert "^^^^^^^^^ unused-suppression" in render(bare)


def test_names_of_the_audited_files_do_not_steer_the_terminal(audited):
    """A folder that somebody else packed may be called anything, and reasons quote its source."""
    steering = "\x1b]0;pwned\x07"
    where = Location(f"{steering}.py", 1)
    fixed = replace(audited.findings[0], location=where, message=steering, trail=(Step(where, steering),))
    told = replace(
        audited,
        findings=(fixed,),
        fixed=(fixed,),
        unresolved=tuple(replace(each, location=where, reason=steering) for each in audited.unresolved),
        passed=tuple(replace(each, location=where, evidence=steering) for each in audited.passed),
    )
    assert told.unresolved and told.passed
    assert "\x1b" not in render(told, show_passed=True)
