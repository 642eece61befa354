"""Which files are followed as scripts: those that may meet both training and a library that the facts look at."""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cmgan_audit.program.language.calls  # noqa: F401 (registers all models)
from cmgan_audit.program.launches.entries import entries
from cmgan_audit.program.models import registry
from cmgan_audit.program.naming.names import looked_at
from cmgan_audit.source.tree import SourceTree

MAIN = "if __name__ == '__main__':\n    main(loader)\n"
BY_NAME = "import importlib\nimport json\nmodel = importlib.import_module(json.load(open('c.json'))['model'])\n"


# Pieces of statements as nobody lays them out, but Python reads them.
GAPS = st.sampled_from(["", "", " ", "\t", "\f", "\\\n"])
TEXTS = st.sampled_from(["'a'", '"a"', 'r"a"', "'''a\n'''", '"""a\nfor b in c:\n"""', 'f"""a\n\n    """', 'rb"a"'])
ENDS = st.sampled_from(["", "", "\n", "\n  "])
OPERANDS = st.recursive(
    TEXTS | st.sampled_from(["train", "loops", "ä", "import_", "...", "1.5", "None"]),
    lambda inner: st.one_of(
        st.tuples(inner, GAPS, st.just("."), GAPS, st.just("train"), GAPS, st.just("()")).map("".join),
        st.tuples(inner, GAPS, st.just("("), ENDS, inner, ENDS, st.just(")")).map("".join),
        st.tuples(st.just("("), ENDS, inner, ENDS, st.just(")")).map("".join),
        st.tuples(st.just("["), ENDS, inner, ENDS, st.just("][0]()")).map("".join),
        st.tuples(TEXTS, GAPS, TEXTS, GAPS, st.just(".join()")).map("".join),
    ),
    max_leaves=4,
)
HEADS = ["", "", "x = ", "x =\\\n ", "if x: ", "while x: ", "def f(): ", "class A: ", "try:\n ", "import a; ", "@"]
LINES = st.tuples(
    st.sampled_from(["", "", "", "  \f", "\f", "# a\n"]),
    st.sampled_from(HEADS),
    OPERANDS,
    st.sampled_from(["", "", "", ";", " ; x", "\nfinally: pass", "\ndef f(): pass"]),
).map("".join)


def scripts(folder: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return entries(SourceTree(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": f"import torch\n{MAIN}"},
        {"main.py": f"import os, torch.nn as nn\n{MAIN}"},
        {"main.py": f"import os; import numpy as np\n{MAIN}"},
        {"main.py": f"if True: from torch import *\n{MAIN}"},
        {"main.py": f"def main(loader):\n    try:\n        from pesq import pesq\n    finally:\n        pass\n{MAIN}"},
        {"main.py": f"from helpers import *\n{MAIN}", "helpers.py": "import torch\n"},
        {"main.py": f"from .a import x\n{MAIN}", "a/__init__.py": "from .b import x\n", "a/b.py": "import torch\n"},
        {"main.py": f"import importlib\nt = importlib.import_module('torch')\n{MAIN}"},
        {"main.py": f"t = __import__('torch.nn')\n{MAIN}"},
        {"main.py": f"{BY_NAME}{MAIN}", "models/a.py": "import torch\n"},
        {"main.py": f"from factory import model\n{MAIN}", "factory.py": BY_NAME, "models/a.py": "import torch\n"},
        {"main.py": f"{BY_NAME}{MAIN}", "conf/model.yaml": "model:\n  _target_: torch.nn.Linear\n"},
    ],
)  # fmt: skip
def test_a_script_that_may_meet_a_library_is_followed(files: dict[str, str], tmp_path: Path) -> None:
    assert scripts(tmp_path, files) == ["main.py"]


def test_a_program_of_pythons_own_modules_is_not_followed(tmp_path: Path) -> None:
    files = {
        "main.py": f"import os, json\nfrom importlib import abc\nfrom loading import Loader\n{MAIN}",
        "loading.py": BY_NAME + "class Loader: pass\n",
        "torch_like.py": "NOTE = 'works without torch'\n",
        "conf/a.yaml": "torch: no\n",
    }
    assert scripts(tmp_path, files) == []


@pytest.mark.parametrize(
    "acting",
    [
        "for _ in range(3): pass\n",
        "while True: pass\n",
        "with open('a') as file: pass\n",
        "if torch.cuda.is_available():\n    train()\n",
        "try:\n    train()\nfinally:\n    pass\n",
        "train()\n",
        "loops.train(epochs=3)\n",
        "loops .train()\n",
        "loops[0].train()\n",
        "train \\\n    ()\n",
        "(train)()\n",
        "[train][0]()\n",
        "'a {}'.format(train())\n",
        '"""a {}\n   b""".format(train())\n',
        'f"a {torch}".join([])\n',
        "epochs = 3; train()\n",
        "epochs = [\n    3,\n]; train()\n",
        "class A: pass; train()\ntrain()\n",
        "\ftrain()\n",
        "  \ffor _ in range(3): pass\n",
        "train\f()\n",
        "loops. train()\n",
        "epochs = [\n    3,\n    4]; {train()}.pop()\n",
        '"""a\n"""r"b".join(train())\n',
        "ä()\n",
        "x = 1\rtrain()\r",
    ],
)
def test_a_file_that_acts_when_it_is_run_is_a_script(acting: str, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_bytes(f"import torch\nfrom loops import train\n{acting}".encode())
    (tmp_path / "loops.py").write_text("def train(): loss.backward()\n")
    assert entries(SourceTree(tmp_path)) == ["run.py"]


def test_a_marked_file_that_acts_at_once_is_a_script(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_bytes(b"\xef\xbb\xbffor _ in [0]: train()\nimport torch\ndef f(): loss.backward()\n")
    assert entries(SourceTree(tmp_path)) == ["run.py"]


def acts(statements: list[ast.stmt]) -> bool:
    return any(
        acts(each.body)
        if isinstance(each, ast.If | ast.Try)
        else isinstance(each, ast.For | ast.While | ast.With)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Call))
        for each in statements
    )


@given(st.lists(LINES, min_size=1, max_size=2), st.sampled_from(["\n", "\r\n", "\r"]))
def test_whatever_acts_is_a_script_however_it_is_laid_out(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str
) -> None:
    code = ("\n".join(lines) + "\n").replace("\n", end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            statements = ast.parse(code).body
        except SyntaxError:
            assume(False)
    folder = tmp_path_factory.getbasetemp() / "laid_out"
    folder.mkdir(exist_ok=True)
    (folder / "run.py").touch()
    content = f"import torch\ndef f(): loss.backward()\n{code}".encode()
    found = entries(SourceTree(folder, overlay={"run.py": content}))
    assert found == (["run.py"] if acts(statements) else [])


def test_a_module_that_only_defines_is_not_parsed_to_see_that(tmp_path: Path) -> None:
    definitions = '"""Losses.\n\nAuthors: A and B\n"""\nimport torch\nfrom . import b\nNAMES = [\n    "a",\n]\n'
    definitions += "@torch.no_grad()\ndef f(x):\n    x.backward()\n    print(x)\n\n\nclass A:\n    pass\n"
    (tmp_path / "losses.py").write_text(definitions)
    tree = SourceTree(tmp_path)
    asked = []
    parsed = tree.parsed
    tree.parsed = lambda path: asked.append(path) or parsed(path)  # type: ignore[method-assign,func-returns-value]
    assert entries(tree) == []
    assert asked == []


def test_a_script_beside_training_code_is_not_followed_for_it(tmp_path: Path) -> None:
    assert scripts(tmp_path, {"main.py": MAIN, "train.py": f"import torch\n{MAIN}"}) == ["train.py"]


@pytest.mark.parametrize(
    ("files", "followed"),
    [
        ({"scores.py": "from pesq import pesq\n", "net.py": "def load(n, s):\n    n.load_state_dict(s)\n"}, True),
        ({"scores.py": "from pesq import pesq\n", "net.py": "NAME = 'small'\n"}, False),
        ({"scores.py": "import numpy\n", "net.py": "def load(n, s):\n    n.load_state_dict(s)\n"}, False),
    ],
)
def test_a_script_that_scores_what_a_network_with_weights_gives_is_followed(
    files: dict[str, str], followed: bool, tmp_path: Path
) -> None:
    main = "import net, scores, torch\nif __name__ == '__main__':\n    main()\n"
    assert scripts(tmp_path, {"evaluate.py": main, **files}) == (["evaluate.py"] if followed else [])


@pytest.mark.parametrize(
    ("files", "followed"),
    [
        ({"net.py": "def load(n, s):\n    n.load_state_dict(s)\n", "audio.py": "import soundfile\n"}, True),
        ({"net.py": "NAME = 'small'\n", "audio.py": "import soundfile\n"}, False),
        ({"net.py": "def load(n, s):\n    n.load_state_dict(s)\n", "audio.py": "import wave\n"}, False),
    ],
)
def test_a_script_that_enhances_recordings_with_a_network_is_followed(
    files: dict[str, str], followed: bool, tmp_path: Path
) -> None:
    main = "import net, audio, torch\nif __name__ == '__main__':\n    main()\n"
    assert scripts(tmp_path, {"enhance.py": main, **files}) == (["enhance.py"] if followed else [])


LISTS, WRITES = "for name in os.listdir('corpus'):\n    pass\n", "json.dump([], file)\n"


@pytest.mark.parametrize(
    ("files", "followed"),
    [
        ({"lists.py": f"import os, json\n{LISTS}{WRITES}", "train.py": f"import torch\n{MAIN}"}, True),
        ({"lists.py": f"import os, json\n{LISTS}", "train.py": f"import torch\n{MAIN}"}, False),
        ({"lists.py": f"import os, json\n{WRITES}", "train.py": f"import torch\n{MAIN}"}, False),
        ({"lists.py": f"import os, json\n{LISTS}{WRITES}", "train.py": f"import torch, lists\n{MAIN}"}, False),
        ({"lists.py": f"import os, json\n{LISTS}{WRITES}", "clean.py": MAIN}, False),
    ],
)
def test_a_script_that_makes_sets_or_lists_of_them_is_followed_beside_a_training(
    files: dict[str, str], followed: bool, tmp_path: Path
) -> None:
    assert ("lists.py" in scripts(tmp_path, files)) == followed


def test_every_library_with_a_model_is_looked_at() -> None:
    tops = {name.partition(".")[0] for name in (*registry._MODELS, *registry._ATTRIBUTES, *registry._BASES)}
    assert len(tops) > 20
    assert tops - looked_at() - sys.stdlib_module_names == set()


@pytest.mark.parametrize(
    ("name", "more", "followed"),
    [
        ("train_test.py", "", True),
        ("src/train_and_test.py", "", True),
        ("train_test.py", "def test_it(): pass\n", False),
        ("train_test.py", "import unittest\n", False),
        ("tests/train_test.py", "", False),
        ("trainer_test/__init__.py", "", False),
        ("layers_test.py", "", False),
        ("test_interface.py", "net.load_state_dict(torch.load(path))\n", True),
        ("src/se_test.py", "net = Net.load_from_checkpoint(path)\n", True),
        ("test_interface.py", "def test_it(): net.load_state_dict(state)\n", False),
        ("test_copy.py", "other.load_state_dict(net.state_dict())\n", False),
        ("test_resume.py", "torch.save(state, path)\nnet.load_state_dict(torch.load(path))\n", False),
        ("test_parity.py", "net.load_state_dict(torch.load(path))\nassert torch.allclose(net(x), y)\n", False),
        ("tests/test_interface.py", "net.load_state_dict(torch.load(path))\n", False),
        ("test_net.py", "print(Net()(torch.zeros(4)).shape)\n", False),
    ],
)
def test_a_script_that_trains_or_scores_is_no_test_for_its_name(
    name: str, more: str, followed: bool, tmp_path: Path
) -> None:
    assert scripts(tmp_path, {name: f"import torch\n{more}{MAIN}"}) == [name] * followed


def test_the_file_of_a_package_is_a_script_where_it_says_so(tmp_path: Path) -> None:
    files = {
        "__init__.py": f"import torch\n{MAIN}",
        "package/__init__.py": "import torch\nfrom torch.utils.data import DataLoader\nprint(DataLoader)\n",
        "tests/__init__.py": f"import torch\n{MAIN}",
    }
    assert scripts(tmp_path, files) == ["__init__.py"]


@pytest.mark.parametrize(
    ("reading", "followed"),
    [("import soundfile as sf\n", True), ("from scipy.io import wavfile\n", True), ("import csv\n", False)],
)
def test_a_script_that_scores_recordings_needs_no_network(tmp_path: Path, reading: str, followed: bool) -> None:
    files = {
        "score.py": "from scores import of\nif __name__ == '__main__':\n    print(of('a.wav'))\n",
        "scores.py": f"from pesq import pesq\n{reading}def of(path):\n    return pesq(16000, path, path)\n",
    }
    assert scripts(tmp_path, files) == (["score.py"] if followed else [])
