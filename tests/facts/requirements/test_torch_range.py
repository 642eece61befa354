"""Which torch a tree allows: every way to state a version, and which statement decides."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cmgan_audit.facts.requirements import TorchRange
from cmgan_audit.facts.requirements.statement import poetry, requirement
from cmgan_audit.finding import Confidence
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.tree import SourceTree


def ask(folder: Path, files: dict[str, str], below: str = "1.9", path: str = "train.py") -> Fact:
    for name, text in {"train.py": "", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return TorchRange(SourceTree(folder)).allows(below=below, path=path)


STATED = [
    ("requirements.txt", "numpy\ntorch=={}+cu111\n", 2),
    ("requirements-gpu.txt", "-r base.txt\ntorch[opt] == {} ; python_version > '3'\n", 2),
    ("environment.yml", "name: se\ndependencies:\n  - pytorch={}=py3.8_cuda11.1_0\n", 3),
    ("environment.yaml", "dependencies:\n  - pip:\n    - torch=={}\n", 3),
    ("pyproject.toml", '[project]\nname = "a"\ndependencies = [\n  "numpy",\n  "torch=={}",\n]\n', 5),
    ("pyproject.toml", '[dependency-groups]\ntrain = ["torch~={}"]\n', 2),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.8"\ntorch = "~{}"\n', 3),
    (
        "pyproject.toml",
        '[tool.poetry.group.gpu.dependencies]\ntorch = {{ version = "{}", source = "pytorch" }}\n',
        2,
    ),
    ("Pipfile", '[packages]\ntorch = "=={}"\n', 2),
    ("Pipfile.lock", '{{"default": {{\n"torch": {{\n"hashes": ["a"],\n"version": "=={}"\n}}}}}}', 2),
    ("poetry.lock", '[[package]]\nname = "torch"\nversion = "{}"\n', 2),
    ("uv.lock", '[[package]]\nname = "torch"\nversion = "{}"\nsource = {{ registry = "x" }}\n', 2),
    ("setup.py", "from setuptools import setup\nsetup(install_requires=[\n    'torch=={}',\n])\n", 3),
    ("setup.cfg", "[options]\ninstall_requires =\n    torch=={}\n", 3),
    ("Dockerfile", "FROM pytorch/pytorch:{}-cuda11.1-cudnn8-runtime\n", 1),
    ("Dockerfile", "FROM ubuntu\nRUN pip3 install torch=={}+cu111 -f https://x.org/torch_stable.html\n", 2),
    ("setup.sh", "conda install -y pytorch={} cudatoolkit=10.2 -c pytorch\n", 1),
    ("README.md", "# Install\n\nRun `pip install torch=={}` first; don't forget CUDA.\n", 3),
]
SAID = [
    "- PyTorch {}",
    "* pytorch == {}",
    "We use PyTorch (version {}).",
    "Tested with **torch** v{} and CUDA 10.2",
    "![](https://img.shields.io/badge/PyTorch-{}-red)",
    "# Check python=3.8, pytorch={}, cudatoolkit=10.2",
]


@pytest.mark.parametrize(("name", "text", "line"), STATED)
def test_a_version_is_read_where_it_is_stated(tmp_path: Path, name: str, text: str, line: int) -> None:
    old = ask(tmp_path / "old", {name: text.format("1.8.1")})
    assert isinstance(old, Known)
    assert old.value is True
    assert (old.trail[0].location.path, old.trail[0].location.line) == (name, line)
    new = ask(tmp_path / "new", {name: text.format("1.10.0")})
    assert isinstance(new, Known)
    assert new.value is False


@pytest.mark.parametrize("sentence", SAID)
def test_a_sentence_of_the_readme_counts_less(tmp_path: Path, sentence: str) -> None:
    old = ask(tmp_path / "old", {"README.md": sentence.format("1.8")})
    assert isinstance(old, Known)
    assert (old.value, old.confidence) == (True, Confidence.MEDIUM)
    new = ask(tmp_path / "new", {"README.md": sentence.format("1.9")})
    assert isinstance(new, Known)
    assert new.value is False


@pytest.mark.parametrize(
    ("sentence", "allowed"),
    [
        ("PyTorch 1.7+", True),
        ("PyTorch 1.10 or newer", False),
        ("pytorch >= 1.9", False),
        ("PyTorch ≥ 1.6", True),
    ],
)
def test_a_sentence_may_state_a_range(tmp_path: Path, sentence: str, allowed: bool) -> None:
    fact = ask(tmp_path, {"README.md": sentence})
    assert isinstance(fact, Known)
    assert fact.value is allowed


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"requirements.txt": "torch\n"},
        {"requirements.txt": "# torch==1.8.0\npytorch-lightning==1.8\ntorchmetrics==0.8\n"},
        {"README.md": "Runs on 1.8 GB of GPU memory. It beats torch by 1.8% at pytorch/1.8/x."},
        {"CHANGELOG.md": "- support for PyTorch 1.8"},
        {"tests/requirements.txt": "torch==1.8.0\n"},
        {"other/requirements.txt": "torch==1.8.0\n"},
    ],
)
def test_what_states_no_version_leaves_it_open(tmp_path: Path, files: dict[str, str]) -> None:
    assert isinstance(ask(tmp_path, files), Unknown)


def test_where_nothing_is_stated_old_versions_may_be_used_with_low_confidence(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("torch", encoding="utf-8")
    fact = TorchRange(SourceTree(tmp_path)).may_be(below="1.9", path="train.py")
    assert isinstance(fact, Known)
    assert (fact.value, fact.confidence) == (True, Confidence.LOW)
    assert fact.trail[0].note == "torch without a version"


def test_a_range_that_only_allows_an_old_version_is_less_certain_than_a_pin(tmp_path: Path) -> None:
    pin = ask(tmp_path / "pin", {"requirements.txt": "torch==1.8"})
    reach = ask(tmp_path / "range", {"requirements.txt": "torch>=1.6"})
    assert isinstance(pin, Known)
    assert isinstance(reach, Known)
    assert (pin.confidence, reach.confidence) == (Confidence.HIGH, Confidence.MEDIUM)


def test_the_nearest_folder_decides(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch==2.1", "old/requirements.txt": "torch==1.8", "old/src/train.py": ""}
    fact = ask(tmp_path, files, path="old/src/train.py")
    assert isinstance(fact, Known)
    assert fact.value is True
    fact = ask(tmp_path, files)
    assert isinstance(fact, Known)
    assert fact.value is False


def test_what_is_installed_counts_more_than_a_sentence_nearby(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch>=2.1", "recipe/README.md": "Tested with torch==1.8", "recipe/train.py": ""}
    fact = ask(tmp_path, files, path="recipe/train.py")
    assert isinstance(fact, Known)
    assert fact.value is False


def test_a_lock_file_counts_more_than_the_range_beside_it(tmp_path: Path) -> None:
    lock = '[[package]]\nname = "torch"\nversion = "2.1.0"\n'
    fact = ask(tmp_path, {"pyproject.toml": '[project]\ndependencies = ["torch>=1.5"]\n', "uv.lock": lock})
    assert isinstance(fact, Known)
    assert fact.value is False


def test_one_of_two_pins_is_enough_but_not_certain(tmp_path: Path) -> None:
    fact = ask(tmp_path, {"requirements.txt": "torch==2.0.0", "requirements-old.txt": "torch==1.7.1"})
    assert isinstance(fact, Known)
    assert (fact.value, fact.confidence) == (True, Confidence.MEDIUM)
    assert [step.location.path for step in fact.trail] == ["requirements-old.txt"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("torchaudio==0.8.1", True),
        ("torchaudio==0.10.0", False),
        ("torchaudio>=2.0", False),
        ("torchvision==0.9.1", True),
        ("torchvision>=0.15", False),
        ("torchaudio==0.7.2\ntorch==2.0.0", False),
    ],
)
def test_companions_need_the_torch_of_their_own_release(tmp_path: Path, text: str, allowed: bool) -> None:
    fact = ask(tmp_path, {"requirements.txt": text})
    assert isinstance(fact, Known)
    assert fact.value is allowed


@pytest.mark.parametrize(
    ("manifest", "allowed"),
    [
        ('requires-python = ">=3.10"\ndependencies = ["torch>=1.5"]', False),
        ('requires-python = ">=3.8"\ndependencies = ["torch>=1.5"]', True),
        ('requires-python = ">=3.10"\ndependencies = ["torch"]', False),
    ],
)
def test_a_new_python_excludes_an_old_torch(tmp_path: Path, manifest: str, allowed: bool) -> None:
    fact = ask(tmp_path, {"pyproject.toml": f"[project]\n{manifest}\n"})
    assert isinstance(fact, Known)
    assert fact.value is allowed


def test_a_list_that_pip_wrote_on_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("torch==1.8.0\r\n", encoding="utf-16")
    fact = TorchRange(SourceTree(tmp_path)).allows(below="1.9", path="train.py")
    assert isinstance(fact, Known)
    assert fact.value is True


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("^1.8", (">=1.8,<2",)),
        ("^0.4.1", (">=0.4.1,<0.5",)),
        ("~1.8.1", (">=1.8.1,<1.9",)),
        ("~1", (">=1,<2",)),
        ("1.10.0", ("==1.10.0",)),
        (">=1.5, <2.0", (">=1.5,<2.0",)),
        ("^1.8 || ^2.0", (">=1.8,<2", ">=2.0,<3")),
        ("*", ()),
        ("", ()),
    ],
)
def test_ranges_of_poetry_mean_what_poetry_says(text: str, ranges: tuple[str, ...]) -> None:
    assert poetry(text) == ranges


VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 15), st.integers(0, 3)).map(lambda v: ".".join(map(str, v)))
CLAUSES = st.tuples(st.sampled_from(["==", ">=", "<=", ">", "<", "!=", "~="]), VERSIONS).map("".join)


@given(st.lists(CLAUSES, min_size=1, max_size=3).map(",".join), VERSIONS)
def test_ranges_mean_what_pip_says(text: str, version: str) -> None:
    found = requirement(f"torch{text}")
    assert found is not None
    assert all((Version(version) in SpecifierSet(own)) == (Version(version) in SpecifierSet(text)) for own in found[1])


PLAIN = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))


@given(PLAIN, PLAIN)
def test_a_pin_is_older_or_newer_as_pip_says(pin: str, limit: str) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "requirements.txt").write_text(f"torch=={pin}\n", encoding="utf-8")
        torch = TorchRange(SourceTree(Path(folder)))
        old, new = torch.allows(below=limit), torch.reaches(first=limit)
    assert isinstance(old, Known)
    assert isinstance(new, Known)
    assert old.value is (Version(pin) < Version(limit))
    assert new.value is (Version(pin) >= Version(limit))


@given(st.text(max_size=60))
def test_any_text_is_read_or_not_without_an_error(text: str) -> None:
    requirement(text)
    requirement(f"torch {text}")
    for each in poetry(text):
        SpecifierSet(each)


NEWEST = [
    ({"requirements.txt": "torch==1.10.0\n"}, False, Confidence.HIGH),
    ({"requirements.txt": "torch==2.0.0+cu118\n"}, True, Confidence.HIGH),
    ({"requirements.txt": "torch>=1.8\n"}, True, Confidence.MEDIUM),
    ({"requirements.txt": "torch>=2.40\n"}, True, Confidence.MEDIUM),
    ({"requirements.txt": "torch>=1.8,<2\n"}, False, Confidence.HIGH),
    ({"requirements.txt": "torch~=1.13\n"}, False, Confidence.HIGH),
    ({"requirements.txt": "torchaudio==2.1.0\n"}, True, Confidence.HIGH),
    ({"README.md": "We use PyTorch 1.12.\n"}, False, Confidence.MEDIUM),
    ({"environment.yml": "dependencies:\n  - python=3.7\n  - pytorch>=1.5\n"}, False, Confidence.HIGH),
    ({"environment.yml": "dependencies:\n  - python=3.8\n  - pytorch>=1.5\n"}, True, Confidence.MEDIUM),
    ({"setup.py": "setup(python_requires='>=3.6', install_requires=['torch>=1.5'])\n"}, True, Confidence.MEDIUM),
]


@pytest.mark.parametrize(("files", "answer", "confidence"), NEWEST)
def test_the_newest_torch_is_asked_for_like_the_oldest(
    tmp_path: Path, files: dict[str, str], answer: bool, confidence: Confidence
) -> None:
    for name, text in {"train.py": "", **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    fact = TorchRange(SourceTree(tmp_path)).reaches(first="2.0", path="train.py")
    assert isinstance(fact, Known)
    assert (fact.value, fact.confidence) == (answer, confidence)
    assert fact.trail


@pytest.mark.parametrize("files", [{}, {"requirements.txt": "torch\n"}])
def test_where_no_version_is_stated_a_new_torch_is_only_possible(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in {"train.py": "", **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    torch = TorchRange(SourceTree(tmp_path))
    assert isinstance(torch.reaches(first="2.0", path="train.py"), Unknown)
    possible = torch.may_reach(first="2.0", path="train.py")
    assert isinstance(possible, Known)
    assert possible.confidence is Confidence.LOW
