"""Scripts that start others with arguments, and values of which only a part is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.source.commands import CommandLine
from cmgan_audit.source.shell_calls import called_script
from cmgan_audit.source.shell_expansion import UnknownWord
from cmgan_audit.source.tree import SourceTree


def launches(folder: Path, files: dict[str, str], entry: str = "train.py") -> list[CommandLine]:
    for path, text in {entry: "", **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return list(SourceTree(folder).launches(entry))


def words_of(command: CommandLine) -> list[str]:
    return [f"?{word}" if isinstance(word, UnknownWord) else word for word in command.argv]


@pytest.mark.parametrize(
    "line",
    ["bash run.sh 2 a.yaml", "./run.sh 2 a.yaml", "sbatch --gres=gpu:1 run.sh 2 a.yaml", "nohup sh -e run.sh 2 a.yaml"],
)
def test_what_a_started_script_is_given(tmp_path: Path, line: str) -> None:
    files = {"all.sh": f"{line}\n", "run.sh": "python train.py --size $1 --config ${2} $3\n"}
    given, alone = launches(tmp_path, files)
    assert words_of(given) == ["--size", "2", "--config", "a.yaml", "?$3"]
    assert str(given.location) == "all.sh:1" and str(given.places[1]) == "run.sh:1"
    assert words_of(alone) == ["--size", "?$1", "--config", "?${2}", "?$3"]


def test_all_arguments_shift_and_what_is_exported(tmp_path: Path) -> None:
    files = {
        "all.sh": "own=1\nexport NAME=small\nbash run.sh 0 --size 2\necho $gpu\n",
        "run.sh": 'gpu=$1\nshift\npython train.py --gpu $gpu --name $NAME --own $own "$@"\n',
    }
    given = launches(tmp_path, files)[0]
    assert words_of(given) == ["--gpu", "0", "--name", "small", "--own", "?$own", "--size", "2"]
    assert given.environment["NAME"][0] == "small"


def test_the_options_of_recipes_in_the_manner_of_kaldi(tmp_path: Path) -> None:
    """`utils/parse_options.sh` sets the variables that a script's options name, whether it lies there or not."""
    files = {
        "all.sh": "bash run.sh --batch-size 1 --lr 1e-3 corpus\nbash run.sh --batch-size $SIZE\n",
        "run.sh": "batch_size=6\nlr=1e-4\n. utils/parse_options.sh || exit 1\n"
        "python train.py --batch_size $batch_size --lr $lr $1\n",
    }
    first, second, alone = launches(tmp_path, files)
    assert words_of(first) == ["--batch_size", "1", "--lr", "1e-3", "corpus"]
    assert words_of(second)[:4] == ["--batch_size", "?$SIZE", "--lr", "1e-4"]
    assert words_of(alone)[:4] == ["--batch_size", "6", "--lr", "1e-4"]


def test_a_document_starts_a_script(tmp_path: Path) -> None:
    files = {
        "README.md": "```bash\nbash scripts/run.sh 2\n```\n",
        "scripts/run.sh": 'cd "$(dirname "$0")/.."\npython train.py --size $1\n',
    }
    (command,) = [command for command in launches(tmp_path, files) if command.location.path == "README.md"]
    assert words_of(command) == ["--size", "2"]


def test_scripts_are_run_from_a_folder_above(tmp_path: Path) -> None:
    files = {"scripts/large.sh": "bash run.sh 2\n", "run.sh": "python train.py $1\n"}
    assert ["2"] in [words_of(command) for command in launches(tmp_path, files)]


def test_scripts_that_start_each_other_come_to_an_end(tmp_path: Path) -> None:
    files = {"a.sh": "bash b.sh $1\npython train.py $1\n", "b.sh": "bash a.sh x$1\nbash a.sh y$1\n"}
    assert len(launches(tmp_path, files)) < 200


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (["bash", "run.sh", "a"], 1),
        (["srun", "-n", "4", "python", "train.py", "--script", "run.sh"], None),
        (["chmod", "+x", "run.sh"], None),
        (["bash", "-c", "run.sh"], None),
        (["echo", "bash", "run.sh"], None),
        (["scripts/run.sh"], 0),
        ([], None),
    ],
)
def test_which_word_is_a_script_that_is_started(words: list[str], at: int | None) -> None:
    assert called_script(words) == at


def test_the_known_words_of_a_text_that_is_not_wholly_known(tmp_path: Path) -> None:
    """Where it is not quoted, and also where it is the command itself."""
    files = {
        "a.sh": 'ARGS="--size 2 --out $TMP/run --lr 1"\npython train.py $ARGS "$ARGS"\n',
        "b.sh": 'cmd="python train.py --size 3 --at $(date)"\n$cmd\n',
        "c.sh": 'cmd="python train.py --size 4 --at $1"\neval $cmd\n',
    }
    one, two, three = launches(tmp_path, files)
    assert words_of(one) == ["--size", "2", "--out", "?$TMP/run", "--lr", "1", "?--size 2 --out $TMP/run --lr 1"]
    assert words_of(two) == ["--size", "3", "--at", "?$(date)"]
    assert words_of(three) == ["--size", "4", "--at", "?$1"]


def test_a_list_of_words_in_one_text(tmp_path: Path) -> None:
    (command,) = launches(tmp_path, {"a.sh": "A=(--size 2 --out $1)\nB=${A[0]}\nB+=$A\npython train.py ${A[@]} $A\n"})
    assert words_of(command)[:4] == ["--size", "2", "--out", "?$1"]
    assert words_of(command)[4:] == ["--size", "2", "--out", "?$1"]


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("args", ["--size", "2", "--lr", "?$1", "?$args"]),
        ("more", ["--size", "2", "--lr", "?$1"]),
    ],
)
def test_words_that_all_branches_have_in_common(tmp_path: Path, added: str, expected: list[str]) -> None:
    text = (
        'args="--size 2 --lr $1"\nif [ -n "$2" ]; then\n  ADDED="$args --resume"\nfi\n'
        'if [ -n "$3" ]; then ADDED="$args --amp"; fi\npython train.py $args\n'
    )
    (command,) = launches(tmp_path, {"a.sh": text.replace("ADDED", added)})
    assert words_of(command) == expected


def test_branches_that_begin_in_different_ways_have_nothing_in_common(tmp_path: Path) -> None:
    text = 'if [ -n "$1" ]; then args="--size 2"; else args="--lr 1"; fi\npython train.py $args\n'
    (command,) = launches(tmp_path, {"a.sh": text})
    assert words_of(command) == ["?$args"]
