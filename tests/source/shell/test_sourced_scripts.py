"""Scripts that source others, and what they work out about the folders that they lie in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.source.commands import CommandLine
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.shell.scripts import commands
from cmgan_audit.source.tree import SourceTree

SHELL = shutil.which("bash")


def only(folder: Path, files: dict[str, str], entry: str = "train.py") -> CommandLine:
    for path, text in {entry: "", **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (command,) = SourceTree(folder).launches(entry)
    return command


def environment(command: CommandLine) -> dict[str, tuple[str, str]]:
    return {name: (text, str(place)) for name, (text, place) in command.environment.items()}


@pytest.mark.parametrize("line", [". ./env.sh", "source env.sh", '. "$(dirname "$0")/env.sh" || exit 1'])
def test_a_sourced_script_sets_what_the_command_is_started_with(tmp_path: Path, line: str) -> None:
    files = {
        "scripts/run.sh": f"size=1\n{line}\npython ../train.py --size $size --name $NAME\n",
        "scripts/env.sh": "# settings\nexport NAME=small\nsize=4\n",
    }
    command = only(tmp_path, files)
    assert command.argv == ("--size", "4", "--name", "small")
    assert environment(command) == {"NAME": ("small", "scripts/env.sh:2")}
    assert str(command.location) == "scripts/run.sh:3"


def test_a_document_sources_before_it_starts(tmp_path: Path) -> None:
    files = {"README.md": "```\nsource env.sh\npython train.py\n```\n", "env.sh": "export SIZE=2\n"}
    assert environment(only(tmp_path, files)) == {"SIZE": ("2", "env.sh:1")}


def test_what_a_sourced_script_sets_only_where_it_is_asked_stays_as_the_caller_says(tmp_path: Path) -> None:
    files = {
        "run.sh": "config=a.yaml\nsize=4\n. ./options.sh\npython train.py $config $size $more\n",
        "options.sh": 'while [ -n "$1" ]; do\n  config=$2; shift 2\ndone\nif [ $# -gt 1 ]; then size=$1; more=1; fi\n',
    }
    command = only(tmp_path, files)
    assert command.argv[:2] == ("a.yaml", "4")
    assert isinstance(command.argv[2], UnknownWord)


def test_what_a_sourced_script_sets_in_any_case_counts(tmp_path: Path) -> None:
    """Also where nobody knows what it sets."""
    files = {"run.sh": "size=4\n. ./env.sh\npython train.py $size\n", "env.sh": "size=$(nproc)\n"}
    (size,) = only(tmp_path, files).argv
    assert isinstance(size, UnknownWord)


def test_a_path_that_a_sourced_script_may_change_still_counts_from_where_it_was_set(tmp_path: Path) -> None:
    files = {
        "run.sh": "ROOT=$PWD\n. ./env.sh\ncd sub\npython $ROOT/train.py --config $ROOT/a.yaml\n",
        "env.sh": 'if [ -n "$1" ]; then ROOT=$1; fi\n',
        "sub/train.py": "",
    }
    assert only(tmp_path, files).argv == ("--config", "../a.yaml")


def test_a_script_may_say_itself_where_it_lies(tmp_path: Path) -> None:
    files = {
        "run.sh": "BASH_SOURCE=tools/env.sh\n. ./env.sh\npython train.py $A $BASH_SOURCE\n",
        "env.sh": "A=$BASH_SOURCE\n",
    }
    assert only(tmp_path, files).argv == ("./env.sh", "tools/env.sh")


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; f; f; f; f; f; f; f; f; f; }\nf\n",
        "for a in {}; do\n".format(" ".join("abcdefgh")) * 12 + "go\n" + "done\n" * 12,
        "for a in {0}; do for b in {0}; do x=$x$x$a; done; done\ngo $x\n".format(" ".join("abcdefghij")),
        'for a in {0}; do for b in {0}; do x+=("${{x[@]}}" $a); done; done\n'.format(" ".join("abcdefghij")),
        "for a in {}; do . ./run.sh; . ./env.sh; done\n".format(" ".join("abcdefghij")),
    ],
    ids=["calls", "loops", "texts", "arrays", "sources"],
)
def test_what_repeats_itself_without_end_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_of: Callable[..., int], text: str
) -> None:
    """What is done for it is in proportion to the characters that are read and put in, of which there is a most."""
    most = 200_000
    monkeypatch.setattr("cmgan_audit.source.shell.expansion._MOST_CHARACTERS", most)
    (tmp_path / "train.py").write_text("")
    (tmp_path / "run.sh").write_text(text)
    (tmp_path / "env.sh").write_text(f". ./run.sh\n{text}")
    found: list[CommandLine] = []
    assert calls_of(lambda: found.extend(SourceTree(tmp_path).launches("train.py"))) < 4 * most
    assert found == []


@pytest.mark.parametrize("opening", ['"$(dirname ', "$(dirname ", "${a:-", "`dirname ", "$((", "( ", "if a; then "])
def test_what_nests_deeply_is_read(opening: str) -> None:
    for closing in ("", {"$": ")", "`": "`"}.get(opening[0], "")):
        text = "go " + opening * 3000 + "a" + closing * 3000
        list(commands(text, name="run.sh"))


def test_functions_of_a_sourced_script_start_what_the_caller_gives_them(tmp_path: Path) -> None:
    files = {
        "run.sh": ". tools/common.sh\nlaunch train.py --size 3\n",
        "tools/common.sh": "launch() {\n  python $@ --once\n}\n",
    }
    command = only(tmp_path, files)
    assert command.argv == ("--size", "3", "--once")
    assert str(command.location) == "run.sh:2"
    assert [str(place) for place in command.places] == ["tools/common.sh:2"] * 3


def test_a_shell_that_a_sourced_script_starts_is_placed_there(tmp_path: Path) -> None:
    files = {
        "run.sh": "cd sub\nexport SIZE=2\n. ../lib.inc\n",
        "lib.inc": '# starts it\nbash -c "cd code && python train.py --size 3"\n',
    }
    command = only(tmp_path, files, "sub/code/train.py")
    assert (str(command.location), command.folder) == ("run.sh:3", "sub/code")
    assert [str(place) for place in command.places] == ["lib.inc:2"] * 2
    assert environment(command) == {"SIZE": ("2", "run.sh:2")}


def test_scripts_that_source_each_other_end(tmp_path: Path) -> None:
    files = {"a.sh": ". ./b.sh\npython train.py --size $size\n", "b.sh": "size=5\n. ./a.sh\n"}
    for path, text in {"train.py": "", **files}.items():
        (tmp_path / path).write_text(text)
    assert {command.argv for command in SourceTree(tmp_path).launches("train.py")} == {("--size", "5")}


def test_a_folder_that_another_script_exports_leads_to_the_script(tmp_path: Path) -> None:
    """As recipes do: the folder of the code is worked out in `path.sh`, from where the recipe lies."""
    files = {
        "egs/small/run.sh": "source path.sh\npython ${BIN}/train.py --config conf/a.yaml\n",
        "egs/small/path.sh": "export ROOT=`realpath ${PWD}/../../`\nexport BIN=${ROOT}/pkg/second\n",
        "pkg/first/train.py": "",
    }
    command = only(tmp_path, files, "pkg/second/train.py")
    assert command.argv == ("--config", "conf/a.yaml")


def test_recipes_that_share_a_script_by_links_run_it_in_their_own_folders(tmp_path: Path) -> None:
    for folder in ("egs/common", "egs/small", "outside"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "train.py").write_text("")
    (tmp_path / "egs/common/run.sh").write_text("python ../../train.py --config conf.yaml\n")
    (tmp_path / "egs/small/run.sh").symlink_to("../common/run.sh")
    (tmp_path / "egs/small/gone.sh").symlink_to("../common/gone.sh")
    (tmp_path / "egs/small/secret.sh").symlink_to("/etc/profile")
    tree = SourceTree(tmp_path)
    assert tree.launcher_files == ("egs/common/run.sh", "egs/small/run.sh")
    assert [command.location.path for command in tree.launches("train.py")] == list(tree.launcher_files)


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("cd a\ngo\ncd -\ngo\n", ["a", ""]),
        ("cd a/b/..\ngo\ncd ../..\ngo\n", ["a", ".."]),
        ('cd "$(dirname "$0")"\ngo\n', [""]),
        ('cd "${0%/*}/.." && go\n', [".."]),
        ("cd $(mktemp -d)\ncd x\ngo\n", [None]),
    ],
)
def test_folders_that_are_entered(text: str, folders: list[str | None]) -> None:
    found = [simple for simple in commands(text, name="scripts/run.sh") if simple.words[0].text == "go"]
    assert [None if isinstance(simple.folder, UnknownWord) else simple.folder for simple in found] == folders


PATHS = [
    "go $PWD/x",
    'go "$(pwd)"/conf.yaml',
    "HERE=`pwd`; cd sub; go $HERE/a.yaml",
    'ROOT=$(cd "$(dirname "$0")/.." && pwd); go $ROOT/b',
    "ROOT=$(cd $(dirname ${BASH_SOURCE:-$0}); pwd); cd ..; go $ROOT",
    'cd "$(dirname "${BASH_SOURCE[0]}")/../other"; go $(realpath a.yaml)',
    "go $(readlink -f ../other)",
    "HERE=$PWD; THERE=$HERE/sub; cd ../other; go $THERE",
    'HERE=$(cd "$(dirname "$0")" && pwd); go $(dirname "$HERE")/other',
    "HERE=$PWD; cd sub; go ${HERE%/*}",
    "go $(realpath ${BASH_SOURCE[0]%/*}/sub)",
    "HERE=$PWD; if true; then HERE=$PWD; fi; cd ../other; go $HERE",
    "cd -P -- ../other; go $PWD",
]


@pytest.mark.skipif(SHELL is None, reason="needs bash to compare with")
@pytest.mark.parametrize("text", PATHS)
def test_paths_agree_with_bash(tmp_path: Path, text: str) -> None:
    for name in ("scripts/sub", "other"):
        (tmp_path / name).mkdir(parents=True)
    script = tmp_path / "scripts" / "run.sh"
    script.write_text('go() { printf "%s|%s\\n" "$PWD" "$1"; }\n' + text + "\n")
    assert SHELL is not None
    result = subprocess.run(
        [SHELL, "./run.sh"], cwd=script.parent, capture_output=True, text=True, timeout=300, check=True
    )
    folder, theirs = result.stdout.strip().split("|")
    (ours,) = [simple for simple in commands(text, name="scripts/run.sh") if simple.words[0].text == "go"]
    at = script.parent / ours.folder
    assert ours.words[1].known
    assert os.path.realpath(at) == os.path.realpath(folder)
    assert os.path.realpath(at / ours.words[1].text) == os.path.realpath(theirs)


@pytest.mark.parametrize(
    "text",
    [
        "R=$(realpath ../..)\ncd sub\ngo $R/train.py\n",
        "go $(basename $PWD)\n",
        "go ${PWD##*/}\n",
        "go $(basename -s .sh a/run.sh)\n",
    ],
)
def test_names_that_nothing_tells_are_not_known(text: str) -> None:
    """Above the tree no folder has a name, nor has the tree itself."""
    (ours,) = commands(text, name="scripts/run.sh")
    assert not ours.words[1].known


NAMES = ["basename $C", "basename $C .yaml", "dirname $C", "basename /a/b/ /b", "dirname a", "basename $C | cat"]
CUTS = ["${C##*/}", "${C%/*}", "${C%.yaml}", "${C%.json}", "${C#conf/}", "${C%%/*}", "${C#*/}", "${NAME%-*}"]


@pytest.mark.skipif(SHELL is None, reason="needs bash to compare with")
@pytest.mark.parametrize("word", [*(f"$({name})" for name in NAMES), *CUTS])
def test_parts_of_names_agree_with_bash(word: str) -> None:
    text = f"C=conf/sub/a.yaml\nNAME=a-b-c\ngo {word}\n"
    assert SHELL is not None
    script = text.replace("go ", "printf %s ")
    theirs = subprocess.run([SHELL, "-c", script], capture_output=True, text=True, timeout=300, check=True).stdout
    (ours,) = commands(text)
    assert not ours.words[1].known or ours.words[1].text == theirs
    assert ours.words[1].known == ("|" not in word)
