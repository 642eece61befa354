"""Scripts that start others with arguments, and values of which only a part is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.source.commands import CommandLine
from cmgan_audit.source.shell.calls import called_script
from cmgan_audit.source.shell.expansion import UnknownWord
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


@pytest.mark.parametrize(
    "script",
    [
        "case $1 in\n  train) python train.py --size $2 ;;\n  test | -t*) python test.py $2 ;;\nesac\n",
        'M=$1\nif [ "$M" = train ]; then\n  python train.py --size $2\nelif true; then\n  python test.py $2\nfi\n',
        "if [[ $1 != train && $# -gt 1 ]]; then\n  :\nfi\nif ! [ $1 = test ]; then python train.py --size $2; fi\n",
        "go() { case $1 in train) python train.py --size $2 ;; esac; }\ngo $1 $2\n",
        'if [ -z "$2" ] || [ $1 == test ]; then python test.py\nelse python train.py --size $2; fi\n',
    ],
)
def test_arguments_decide_what_a_started_script_starts(tmp_path: Path, script: str) -> None:
    files = {"all.sh": "bash run.sh test best.pt\nbash run.sh train 8\n", "run.sh": script}
    given, alone = launches(tmp_path, files)
    assert words_of(given) == ["--size", "8"] and given.location.line == 2
    assert alone.location.path == "run.sh" and words_of(alone) in (["--size", "?$2"], ["--size", "?$1"])


def test_what_a_script_says_itself_decides_nothing_when_it_is_read_alone(tmp_path: Path) -> None:
    files = {
        "run.sh": "stage=2\nif [ $stage -le 1 ]; then\n  python train.py --size 2\nfi\n",
        "all.sh": "bash run.sh\n",
    }
    assert [command.location.path for command in launches(tmp_path, files)] == ["run.sh"]


@pytest.mark.parametrize(
    "loop",
    [
        "while [ $# -gt 0 ]; do\n"
        "  case $1 in --size) size=$2; shift 2 ;; --rate) rate=$2; shift 2 ;; *) break ;; esac\ndone\n",
        'while [[ -n "$1" && $# -ne 1 ]]; do\n  if [ $1 == --size ]; then size=$2; else rate=$2; fi\n  shift 2\ndone\n',
        'for word in "$@"; do\n  case $word in --size) ;; 4) size=$word ;; 0.*) rate=$word ;; esac\ndone\n',
    ],
)
def test_loops_over_arguments_run_turn_by_turn(tmp_path: Path, loop: str) -> None:
    script = f"size=2\nrate=1\n{loop}python train.py $size $rate\n"
    given, alone = launches(tmp_path, {"all.sh": "bash run.sh --rate 0.1 --size 4 data\n", "run.sh": script})
    assert words_of(given) == ["4", "0.1"]
    assert words_of(alone) == ["?$size", "?$rate"]


def test_a_loop_of_which_the_end_is_not_known(tmp_path: Path) -> None:
    """Of such a loop the first turn says nothing of what the others set."""
    loop = "while read -r line; do\n  case $1 in --rate) rate=$2 ;; --size) size=$2 ;; esac\n  shift 2\ndone\n"
    script = f"size=2\n{loop}python train.py --size $size\n"
    given = launches(tmp_path, {"all.sh": "bash run.sh --rate 1 --size 4\n", "run.sh": script})[0]
    assert words_of(given) == ["--size", "?$size"]


@pytest.mark.parametrize(
    "line",
    [
        "env SIZE=4 bash run.sh",
        "SIZE=4 ./run.sh",
        "sbatch --export=ALL,SIZE=4 run.sh",
        "qsub -v RATE=1,SIZE=4 run.sh",
    ],
)
def test_variables_that_are_handed_over_to_a_script(tmp_path: Path, line: str) -> None:
    given = launches(tmp_path, {"all.sh": f"{line}\n", "run.sh": "python train.py --size ${SIZE:-2}\n"})[0]
    assert words_of(given) == ["--size", "4"]
    assert given.environment["SIZE"][0] == "4"


def test_a_script_that_is_started_deep_down_sources_its_settings(tmp_path: Path) -> None:
    """Where as many scripts as are followed have been started, none is followed half."""
    files = {"settings.sh": "SIZE=4\n", "run.sh": ". ./settings.sh\npython train.py --size ${SIZE:-2} --run $1\n"}
    files |= {"a.sh": "bash b.sh\n", "b.sh": "bash c.sh\n", "c.sh": "bash run.sh deep\n"}
    files["many.sh"] = "".join(f"bash run.sh {number}\n" for number in range(30))
    found = launches(tmp_path, files)
    assert {tuple(words_of(command)[:2]) for command in found} == {("--size", "4")}
    assert words_of(found[0])[2:] == ["--run", "deep"]


def test_a_makefile_starts_a_script(tmp_path: Path) -> None:
    files = {"Makefile": "SIZE = 4\ntrain:\n\tbash run.sh $(SIZE)\n", "run.sh": "python train.py --size $1\n"}
    given = launches(tmp_path, files)[0]
    assert words_of(given) == ["--size", "4"] and given.location.path == "Makefile"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('if [ "$1" = small ]; then\n  python train.py --b 1\n  exit 0\nfi\npython train.py --b 8\n', [["--b", "1"]]),
        ('if [ "$1" = large ]; then\n  python train.py --b 1\n  exit 0\nfi\npython train.py --b 8\n', [["--b", "8"]]),
        ("case $1 in\n  small) python train.py --b 1; exit;;\nesac\npython train.py --b 8\n", [["--b", "1"]]),
        (
            "run() {\n  python train.py --b 1\n  exit\n}\n[ $1 = small ] && run\npython train.py --b 8\n",
            [["--b", "1"], ["--b", "8"]],
        ),
        (
            'if [ "$1" = small ]; then\n  (exit 1)\n  cd x || exit 1\n  cd - || { echo; exit; }\nfi\npython train.py\n',
            [[]],
        ),
        ('for one in 1 2; do\n  if [ "$1" = small ]; then python train.py --b $one; exit; fi\ndone\n', [["--b", "1"]]),
        ("python train.py --b 1\nexit\npython train.py --b 8\n", [["--b", "1"], ["--b", "8"]]),
    ],
)
def test_exit_in_a_branch_that_arguments_lead_to(tmp_path: Path, script: str, expected: list[list[str]]) -> None:
    """An `exit` between two commands of a script is moved on from day to day; one in a branch that is taken is not."""
    found = launches(tmp_path, {"all.sh": "bash run.sh small\n", "run.sh": script})
    given = [words_of(command) for command in found if str(command.location).startswith("all.sh")]
    assert given == expected


def test_a_branch_that_ends_the_script_leaves_nothing_behind(tmp_path: Path) -> None:
    script = "size=8\nif nvidia-smi; then\n  size=4\nelse\n  size=0\n  exit 1\nfi\npython train.py --b $size\n"
    (command,) = launches(tmp_path, {"run.sh": script})
    assert words_of(command) == ["--b", "4"]


def test_a_loop_over_many_words(tmp_path: Path) -> None:
    names = " ".join(f"s{number}" for number in range(40))
    script = f'for name in {names}; do\n  echo $name\ndone\npython train.py --name "$name"\n'
    (command,) = launches(tmp_path, {"run.sh": script})
    assert words_of(command) == ["--name", "s39"]


@pytest.mark.parametrize(
    ("body", "turns", "after"),
    [
        ('python train.py $go_on; go_on="--resume"', [[], ["--resume"]], "--resume"),
        ("python train.py --b $size; size=4", [["--b", "8"], ["--b", "4"]], "4"),
        ("size=$((size / 2)); python train.py --b $size", [["--b", "4"], ["--b", "2"]], "?$size"),
        ("python train.py --b $size", [["--b", "8"]], "8"),
    ],
)
def test_what_a_loop_over_unknown_words_carries_on(
    tmp_path: Path, body: str, turns: list[list[str]], after: str
) -> None:
    """The first turn and the second differ in what the first one leaves behind; what goes on to change is not known."""
    kept = "go_on" if "go_on" in body else "size"
    script = f"size=8\ngo_on=\nfor part in $(cat parts.txt); do\n  {body}\ndone\npython train.py --last ${kept}\n"
    found = [words_of(command) for command in launches(tmp_path, {"run.sh": script})]
    assert found == [*turns, ["--last", after]]
