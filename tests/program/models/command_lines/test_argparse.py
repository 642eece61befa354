"""argparse: what a namespace holds, and the way that its values know, for every way to declare and to launch."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

import argparse
import contextlib
import io
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
HEAD = "import argparse, sink\nparser = argparse.ArgumentParser()\n"
TAIL = "if __name__ == '__main__':\n    main()\n"


def program(options: str, *, words: str = "", body: str = "sink.show(vars(args))") -> str:
    return f"{HEAD}{options}\nargs = parser.parse_args({words})\n{body}\nif __name__ == '__main__':\n    pass\n"


@pytest.mark.parametrize(("action", "told"), [("store_true", "off"), ("store_false", "on")])
def test_a_switch_that_is_not_given_says_how_it_stands(show: Show, action: str, told: str) -> None:
    (value,) = show(program(f"parser.add_argument('--x', action='{action}')", body="sink.show(args.x)")).values()
    assert isinstance(value, Const) and [step.note for step in value.trail] == [f"--x is {told} unless it is given"]


def test_a_default_knows_where_it_was_set(show: Show) -> None:
    (value,) = show(
        program("parser.add_argument('--batch_size', type=int, default=1)", body="sink.show(args.batch_size)")
    ).values()
    assert isinstance(value, Const) and value.value == 1 and value.overridable == "--batch_size"
    (step,) = value.trail
    assert (str(step.location), step.note) == ("train.py:3", "--batch_size defaults to 1")
    assert (step.location.column, step.location.end_column) == (55, 56)


def test_a_launcher_beats_set_defaults_and_they_beat_the_option(show: Show) -> None:
    text = program(
        "parser.add_argument('--b', type=int, default=1)\nparser.set_defaults(b=2, extra='x')", body="sink.show(args.b)"
    )
    shown = show({"train.py": text, "run.sh": "N=4\npython train.py --b $N\n"})
    (default,), (passed,) = shown.values(), shown.values("run.sh: --b 4")
    assert isinstance(default, Const) and (default.value, default.overridable) == (2, "--b")
    assert isinstance(passed, Const) and (passed.value, passed.overridable) == (4, "")
    assert [(str(s.location), s.note) for s in passed.trail] == [("run.sh:2", "run.sh passes --b 4")]


def test_defaults_that_come_from_a_configuration_start_in_its_file(show: Show) -> None:
    text = (
        "import argparse, yaml, sink\np = argparse.ArgumentParser()\np.add_argument('--b', type=int, default=8)\n"
        "with open('c.yaml') as f:\n    p.set_defaults(**yaml.safe_load(f))\na = p.parse_args()\nsink.show(a.b)\n"
        "if __name__ == '__main__':\n    pass\n"
    )
    (value,) = show({"train.py": text, "c.yaml": "lr: 1\nb: 1\n"}).values()
    assert isinstance(value, Const) and value.value == 1
    assert str(value.trail[0].location) == "c.yaml:2"


def test_a_required_option_is_unknown_with_the_reason(show: Show) -> None:
    (value,) = show(program("parser.add_argument('--config', required=True)", body="sink.show(args.config)")).values()
    assert isinstance(value, Unknown) and value.reason == "required argument --config has no default"


def test_unknown_words_of_a_launcher_stay_unknown(show: Show) -> None:
    text = program("parser.add_argument('--b', type=int, default=1)\nparser.add_argument('--d')")
    shown = show({"train.py": text, "run.sh": "python train.py --b=$1 --d $(date)\n"})
    (condition,) = [c for c in shown.conditions if c]
    assert shown.plain(condition) == [{"b": Unknown, "d": Unknown}]


@pytest.mark.parametrize(
    ("options", "words", "expected"),
    [
        ("parser.add_argument('--x', type=bool, default=False)", "['--x', 'False']", {"x": True}),
        ("parser.add_argument('--x', type=list, default=[1, 2])", "['--x', '12']", {"x": ["1", "2"]}),
        ("parser.add_argument('--x', type=int, default='4')", "[]", {"x": 4}),
        ("parser.add_argument('--x', default='4')", "[]", {"x": "4"}),
        ("parser.add_argument('--x', type=lambda s: int(s) * 2, default='4')", "[]", {"x": 8}),
        ("parser.add_argument('--x', type=float, default=1)", "[]", {"x": 1}),
        ("parser.add_argument('-b', '--batch-size', type=int)", "['-b4']", {"batch_size": 4}),
        ("parser.add_argument('--batch-size', dest='n', type=int)", "['--batch=3']", {"n": 3}),
        ("parser.add_argument('--x', action='store_true')", "[]", {"x": False}),
        ("parser.add_argument('--x', action='store_false')", "['--x']", {"x": False}),
        ("parser.add_argument('--x', action='store_const', const=7, default=1)", "['--x']", {"x": 7}),
        ("parser.add_argument('--x', action=argparse.BooleanOptionalAction, default=True)", "['--no-x']", {"x": False}),
        ("parser.add_argument('--x', action='append', default=[1], type=int)", "['--x', '2', '--x', '3']", {"x": [1, 2, 3]}),
        ("parser.add_argument('--x', action='extend', nargs='+', type=int)", "['--x', '2', '3', '--x', '4']", {"x": [2, 3, 4]}),
        ("parser.add_argument('-v', action='count', default=0)", "['-vvv']", {"v": 3}),
        ("parser.add_argument('--x', nargs='+', type=float, default=[0.1, 0.9])", "['--x', '1', '2']", {"x": [1.0, 2.0]}),
        ("parser.add_argument('--x', nargs='?', const=5, default=1, type=int)", "['--x']", {"x": 5}),
        ("parser.add_argument('--x', default=argparse.SUPPRESS)", "[]", {}),
        ("parser.add_argument('mode')\nparser.add_argument('rest', nargs='*')", "['train', 'a', 'b']", {"mode": "train", "rest": ["a", "b"]}),
        ("parser.add_argument('--c')\nparser.add_argument('opts', default=None, nargs=argparse.REMAINDER)", "['--c', 'x', 'a', '--b']", {"c": "x", "opts": ["a", "--b"]}),
        ("parser.add_argument('opts', nargs=argparse.REMAINDER)", "[]", {"opts": []}),
        ("parser.add_argument('--x', nargs=argparse.ONE_OR_MORE)", "['--x', '1', '2']", {"x": ["1", "2"]}),
        ("parser.add_argument('--loss', nargs='+', default=[0.1, 0.9])\nparser.set_defaults(loss=[1])", "[]", {"loss": [1]}),
        ("g = parser.add_argument_group('g')\ng.add_argument('--x', default=1)\nm = g.add_mutually_exclusive_group()\nm.add_argument('--y', default=2)", "[]", {"x": 1, "y": 2}),
        ("base = argparse.ArgumentParser(add_help=False)\nbase.add_argument('--y', default=2)\nparser = argparse.ArgumentParser(parents=[base])\nparser.add_argument('--x', default=1)", "[]", {"x": 1, "y": 2}),
        ("for name in ['x', 'y']:\n    parser.add_argument('--' + name, default=name)", "[]", {"x": "x", "y": "y"}),
    ],
)  # fmt: skip
def test_what_python_makes_of_it(show: Show, options: str, words: str, expected: dict[str, Any]) -> None:
    """Each program is run by Python too: the expectation is checked against the real argparse."""
    assert show(program(options, words=words)).plain() == [expected]
    scope: dict[str, Any] = {}
    exec(
        f"import argparse\nparser = argparse.ArgumentParser()\n{options}\nresult = vars(parser.parse_args({words}))",
        scope,
    )
    assert scope["result"] == expected


def test_sub_commands(show: Show) -> None:
    text = (
        "import argparse, sink\np = argparse.ArgumentParser()\ns = p.add_subparsers(dest='mode')\n"
        "def train(a):\n    sink.show(a.b)\ndef test(a):\n    sink.show('test')\n"
        "t = s.add_parser('train')\nt.add_argument('--b', type=int, default=1)\nt.set_defaults(func=train)\n"
        "e = s.add_parser('test')\ne.set_defaults(func=test)\na = p.parse_args()\na.func(a)\n"
        "if __name__ == '__main__':\n    pass\n"
    )
    shown = show({"train.py": text, "run.sh": "python train.py train --b 2\npython train.py test\n"})
    assert shown.plain("run.sh: train --b 2") == [2]
    assert shown.plain("run.sh: test") == ["test"]
    assert sorted(map(str, shown.plain())) == ["1", "test"]


def test_an_option_that_only_one_path_adds(show: Show) -> None:
    text = program(
        "import torch\nparser.add_argument('--b', default=1)\nif torch.cuda.is_available():\n    parser.add_argument('--g', default=2)",
        body="sink.show(args.b)\nsink.show(args.g)",
    )
    assert show(text).plain() == [1, 2]


def test_a_parser_made_by_a_function_a_class_and_in_another_file(show: Show) -> None:
    files = {
        "options.py": (
            "import argparse\nclass Parser(argparse.ArgumentParser):\n    def __init__(self, **kw):\n"
            "        super().__init__(**kw)\n        self.add_argument('--b', type=int, default=1)\n"
            "def get(): \n    p = Parser(description='x')\n    p.add_argument('--c', default=2)\n    return p.parse_args()\n"
        ),
        "train.py": "import sink\nfrom options import get\nargs = get()\nsink.show((args.b, args.c))\n" + TAIL,
    }
    assert show(files).plain() == [(1, 2)]


def test_groups_and_actions_of_a_parser_can_be_read_back(show: Show) -> None:
    body = (
        "groups = {}\nfor group in parser._action_groups:\n"
        "    groups[group.title] = argparse.Namespace(**{a.dest: getattr(args, a.dest, None) for a in group._group_actions})\n"
        "sink.show(vars(groups['data']))"
    )
    text = program(
        "g = parser.add_argument_group('data')\ng.add_argument('--b', default=1)\nparser.add_argument('--o')", body=body
    )
    assert show(text).plain() == [{"b": 1}]


NAMES = ["alpha", "beta", "gamma_ray"]
KINDS = [
    "default=1, type=int", "type=float", "default='3', type=int", "action='store_true'", "nargs='+', type=int", "nargs='?', const=9, type=int",
    "nargs=2", "action='append'", "default=[1], nargs='*', type=int", "default=None", "choices=['a', 'b'], default='a'",
]  # fmt: skip
WORDS = ["--alpha", "--beta", "--gamma_ray", "--gam", "-a", "-b", "1", "2", "a", "--alpha=5", "-a7", "--beta=x", "x y"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    st.booleans(),
    st.lists(st.sampled_from(WORDS), max_size=5),
)
def test_any_command_line_gives_what_argparse_gives(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], positional: bool, words: list[str]
) -> None:
    lines = [f"parser.add_argument('-{name[0]}', '--{name}', {kind})" for name, kind in zip(NAMES, kinds, strict=False)]
    lines += ["parser.add_argument('place', nargs='?', default='here')"] * positional
    real = argparse.ArgumentParser()
    exec("\n".join(lines), {"parser": real})
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            expected = vars(real.parse_known_args(words)[0])
    except SystemExit:
        return
    root: Path = tmp_path_factory.mktemp("program")
    tail = "args, rest = parser.parse_known_args()\nsink.show(vars(args))\nif __name__ == '__main__':\n    import torch  # and a DataLoader\n"
    (root / "train.py").write_text(HEAD + "\n".join(lines) + "\n" + tail)
    (root / "run.sh").write_text(f"python train.py {shlex.join(words)}\n")
    shown = Shown(list(execute(SourceTree(root))))
    condition = next((text for text in shown.conditions if text), "")
    assert shown.plain(condition) == [expected]


def test_an_option_that_collects_configurations_is_given_the_file_beside_the_script(show: Callable[..., Shown]) -> None:
    text = (
        "import argparse, json, sink\np = argparse.ArgumentParser()\np.add_argument('--config', '-c', action='append', default=[])\n"
        "settings = {}\nfor name in p.parse_args().config:\n    with open(name) as f:\n        settings.update(json.load(f))\n"
        "sink.show(settings['batch_size'])\n"
    )
    readme = "```\npython train.py -c [config.json]\n```\n"
    shown = show({"train.py": text, "README.md": readme, "config/small.json": '{"batch_size": 3}'})
    assert [shown.plain(condition) for condition in shown.conditions] == [[3]]
