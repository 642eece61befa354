"""Commands that start scripts, as shells would run them and documents show them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmgan_audit.source.commands import CommandLine, commands_of
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.shell.scripts import commands
from cmgan_audit.source.tree import SourceTree


def argvs(text: str, path: str = "run.sh") -> list[list[str]]:
    return [list(command.argv) for command in commands_of(path, text)]


def only(text: str, path: str = "run.sh") -> CommandLine:
    (command,) = commands_of(path, text)
    return command


@pytest.mark.parametrize(
    ("line", "launcher", "script"),
    [
        ("python train.py --b 1", "python", "train.py"),
        ("python3.10 -u ./src/train.py --b 1", "python", "src/train.py"),
        ("/usr/bin/env python train.py --b 1", "python", "train.py"),
        ("CUDA_VISIBLE_DEVICES=0,1 python -W ignore train.py --b 1", "python", "train.py"),
        ("nohup python train.py --b 1 > log.txt 2>&1 &", "python", "train.py"),
        ("$cuda_cmd --gpu 2 exp/train.log CUDA_VISIBLE_DEVICES=0 train.py --b 1", "python", "train.py"),
        ("utils/run.pl exp/train.log local/train.py --b 1", "python", "local/train.py"),
        ("time srun --gres=gpu:1 -n 4 python train.py --b 1", "python", "train.py"),
        ("torchrun --standalone --nproc_per_node=4 train.py --b 1", "torchrun", "train.py"),
        (
            "python -m torch.distributed.launch --nproc_per_node 4 train.py --b 1",
            "torch.distributed.launch",
            "train.py",
        ),
        ("accelerate launch --multi_gpu --num_processes 4 train.py --b 1", "accelerate", "train.py"),
        ("deepspeed --num_gpus 4 train.py --b 1", "deepspeed", "train.py"),
        ("bash -c 'cd x && python train.py --b 1'", "python", "train.py"),
        ('gpurun run -n 1 "python train.py \\\n--b 1"', "python", "train.py"),
        ("tmux new-session -d 'CUDA_VISIBLE_DEVICES=0 torchrun train.py --b 1'", "torchrun", "train.py"),
        ('sbatch --gres=gpu:1 --wrap="python train.py --b 1"', "python", "train.py"),
        ("poetry run python train.py --b 1", "python", "train.py"),
        ("singularity exec --nv img.sif python train.py --b 1", "python", "train.py"),
        ("./train.py --b 1", "python", "train.py"),
        ("if python train.py --b 1; then echo ok; fi", "python", "train.py"),
    ],
)
def test_ways_to_start_a_script(line: str, launcher: str, script: str) -> None:
    command = only(line)
    assert (command.launcher.replace("torch.distributed.run", ""), command.script, command.argv) == (
        launcher,
        script,
        ("--b", "1"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "echo python train.py",
        "# python train.py",
        "pip install train.py",
        "cat train.py",
        "python -c 'print(1)'",
        "ls",
        'git commit -m "python train.py works"',
        'pgrep -f "python train.py"',
        'usage "python train.py --b 1"',
        'sbatch --job-name "python train.py" job.sh',
    ],
)
def test_what_starts_no_script(line: str) -> None:
    assert argvs(line) == []


def test_modules_by_name() -> None:
    command = only("python -m cmgan.train --b 1")
    assert command.module == "cmgan.train" and command.scripts()[0] == "cmgan/train.py"


def test_variables_with_constant_values_are_expanded() -> None:
    text = """
BATCH=2
export LR="1e-3"   # comment
ARGS="--batch_size $BATCH --lr ${LR}"
EXTRA=(--epochs 120 --name 'a b')
PORT=$((29500 + BATCH * 2))
python train.py $ARGS "${EXTRA[@]}" --port $PORT --gpus ${GPUS:-4} --out "$HOME/x" "$@"
"""
    (argv,) = argvs(text)
    rest = ["--gpus", "4", "--out", "$HOME/x", "$@"]
    assert argv == ["--batch_size", "2", "--lr", "1e-3", "--epochs", "120", "--name", "a b", "--port", "29504", *rest]
    assert [word for word in argv if isinstance(word, UnknownWord)] == ["$HOME/x", "$@"]


def test_loops_branches_functions_and_subshells() -> None:
    text = """
run() {
    python train.py --batch_size $1 --stage "$2"
}
for b in 1 4; do run $b s; done
b=8
if [ "$stage" -le 1 ]; then
    b=16
    python train.py --batch_size $b
else
    python train.py --batch_size 32
fi
python train.py --batch_size $b
(cd sub; b=64; python train.py --batch_size $b)
case $mode in
  a|b) python train.py --batch_size 128 ;;
  *) ;;
esac
unused() { python train.py --batch_size 0; }
"""
    sizes = [argv[1] for argv in argvs(text)]
    assert sizes == ["1", "4", "16", "32", "$b", "64", "128"]
    assert [command.folder for command in commands_of("run.sh", text)][-2:] == ["sub", ""]


def test_continuations_comments_and_here_documents() -> None:
    text = "cat <<EOF > x\npython no.py\nEOF\npython train.py \\\n  --a 1 \\\n  --b '2 3' # no --c\n"
    text += "cat <<-'X'\n\tpython no.py\n\tX\n"
    command = only(text)
    assert command.argv == ("--a", "1", "--b", "2 3")
    assert [place.line for place in command.places] == [5, 5, 6, 6]
    assert (command.places[1].column, command.places[1].end_column) == (7, 8)


@pytest.mark.parametrize(
    ("copying", "config"),
    [
        ("cp conf/large.yaml exp/config.yaml", "conf/large.yaml"),
        ("mkdir -p exp; cp -f conf/large.yaml ./exp/config.yaml", "conf/large.yaml"),
        ("cp conf/large.yaml exp/a.yaml; cp exp/a.yaml exp/config.yaml", "conf/large.yaml"),
        ("(cd conf; cp large.yaml ../exp/config.yaml)", "conf/large.yaml"),
        ("cp conf/$1.yaml exp/config.yaml", "exp/config.yaml"),
        ("cp conf/large.yaml exp/other.yaml", "exp/config.yaml"),
        ("cp conf/config.yaml exp/", "conf/config.yaml"),
        ("cp /data/large.yaml exp/config.yaml", "/data/large.yaml"),
        ("cp conf/large.yaml exp/config.yaml; sed -i s/1/8/ exp/config.yaml", "exp/config.yaml"),
    ],
)
def test_a_copied_file_of_settings_is_the_one_that_was_copied(copying: str, config: str) -> None:
    assert argvs(f"{copying}\npython train.py --config exp/config.yaml\n") == [["--config", config]]
    assert argvs(f"{copying}\npython train.py --config=exp/config.yaml\n") == [[f"--config={config}"]]


def test_a_copy_into_a_folder_that_is_only_known_at_run_time() -> None:
    text = "out=exp/$(date +%s)\ncp conf/large.yaml $out/config.yaml\npython train.py $out/config.yaml\n"
    assert argvs(text) == [["conf/large.yaml"]]


def test_windows_line_ends() -> None:
    assert argvs("python train.py \\\r\n --a 1\r\n") == [["--a", "1"]]


def test_makefile_variables_and_recipes() -> None:
    text = "B ?= 1\nFLAGS = --batch_size $(B)\n\ntrain: data\n\t@echo hi\n"
    text += "\t-python train.py $(FLAGS) \\\n\t\t--lr $(LR) --d $$HOME\n"
    (argv,) = argvs(text, "Makefile")
    assert argv == ["--batch_size", "1", "--lr", "${LR}", "--d", "$HOME"]


def test_an_empty_reference_of_a_makefile_is_nothing() -> None:
    assert argvs("train:\n\tpython train.py $()--size ${}4\n", "Makefile") == [["--size", "4"]]


def test_dockerfile_commands() -> None:
    text = 'FROM x\nRUN pip install . && \\\n    python prepare.py --n 2\nCMD ["python", "train.py", "--b", "1"]\n'
    assert [(command.script, command.argv) for command in commands_of("Dockerfile", text)] == [
        ("prepare.py", ("--n", "2")),
        ("train.py", ("--b", "1")),
    ]


def test_documents_show_commands_in_blocks_lines_and_inline() -> None:
    text = """# Training
```shell
$ python train.py --data <path to data> --batch_size 1
(venv) user@host:~$ python train.py --x 1
```
Run `python train.py --inline 1` or look at `train.py` and `python script`.
```python
import os; os.system("python train.py --no 1")
```
    python3 train.py --indented 1 [--optional]
    python3 train.py -c CONFIG_YAML_FILE --data=PATH_TO_DATA --model CMGAN --opt ADAM_W
    python3 train.py --restore_step RESTORE_STEP --corpus=CORPUS --loss MSE -B B
The file train.py is described below.
"""
    found = argvs(text, "README.md")
    assert found == [
        ["--data", "$PLACEHOLDER", "--batch_size", "1"],
        ["--x", "1"],
        ["--inline", "1"],
        ["--indented", "1", "$OPTIONAL_PLACEHOLDER"],
        ["-c", "$PLACEHOLDER", "--data=$PLACEHOLDER", "--model", "CMGAN", "--opt", "ADAM_W"],
        ["--restore_step", "$PLACEHOLDER", "--corpus=$PLACEHOLDER", "--loss", "MSE", "-B", "B"],
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("./train.py fit -c a.yaml", [["fit", "-c", "a.yaml"]]),
        ("./train.py", []),
        ("./train.py - trains the network", []),  # a list of files
        ("src/train.py  -c names the settings", []),
    ],
)
def test_documents_start_a_script_by_its_own_name_where_they_give_it_an_option(
    line: str, expected: list[list[str]]
) -> None:
    assert argvs(f"```bash\n{line}\n```\n", "README.md") == expected


def test_documents_show_commands_in_html_too() -> None:
    text = """Start it:
<pre><code>CUDA_VISIBLE_DEVICES=0,1 python train.py -c a.yaml \\
  -n one</code></pre>
or <code>python train.py --resume</code>, never `python train.py --data <folder>`.
<pre>
python train.py --last
</pre>
python is needed, and train.py
"""
    commands = list(commands_of("README.md", text))
    assert [list(command.argv) for command in commands] == [
        ["-c", "a.yaml", "-n", "one"],
        ["--data", "$PLACEHOLDER"],
        ["--resume"],
        ["--last"],
    ]
    assert [str(command.location) for command in commands] == [
        "README.md:2",
        "README.md:4",
        "README.md:4",
        "README.md:6",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    python train.py --load <pre-trained.pth>\n\n`python b.py`\n", [["--load", "$PLACEHOLDER"], []]),
        ("Its <pre> tags are never closed.\n\n    python train.py --a 1\n", [["--a", "1"]]),
        ("<pre>\n```\npython train.py --a 1\n```\n</pre>\n", [["--a", "1"]]),
        ("<pre>python train.py --a 1</pre> and <pre>python b.py</pre>", [["--a", "1"], []]),
        (
            "- <pre lang='sh'>$ cd src &amp;&amp;\npython train.py &lt;a folder&gt; --b 2</pre>",
            [["$PLACEHOLDER", "--b", "2"]],
        ),
        ("  <code>python train.py &lt;folder&gt;</code>", [["$PLACEHOLDER"]]),
    ],
)
def test_tags_of_a_document_hold_commands_only_where_they_are_closed(text: str, expected: list[list[str]]) -> None:
    assert argvs(text, "README.md") == expected


def test_numbers_in_brackets_are_a_list_and_dots_are_none() -> None:
    text = "```\npython train.py --a=[1e-3,2] --b=[...] --c=[..] --d=[ ] --e [4]\n```\n"
    dots = [f"--{option}=$OPTIONAL_PLACEHOLDER" for option in "bcd"]
    assert argvs(text, "README.md") == [["--a=[1e-3,2]", *dots, "--e", "$OPTIONAL_PLACEHOLDER"]]


def test_lines_of_a_document_go_on_behind_a_remark() -> None:
    text = """```bash
python train.py \\ # starts the training
  --data.batch_size=[2,4] \\  # for training and validation
  --devices=0, \\
  --gains=[-5, 1.5] --stages=[low|high]
```
"""
    assert argvs(text.replace("0, \\\n", "0, \\ \n"), "README.md") == [
        ["--data.batch_size=[2,4]", "--devices=0,", "--gains=[-5,", "1.5]", "--stages=$OPTIONAL_PLACEHOLDER"]
    ]


@pytest.mark.parametrize(
    ("text", "trials"),
    [
        (
            "## Smoke test\n```bash\npython t.py --b 2\n```\n## Training\n```bash\npython t.py --b 4\n```\n",
            [True, False],
        ),
        ("## Use\n```\n# quick test\npython t.py --b 2\n\npython t.py --b 4\n```\n", [True, False]),
        (
            "## Use\nA dry run:\n```\npython t.py --b 2\n```\nAnd all of it:\n```\npython t.py --b 4\n```\n",
            [True, False],
        ),
        (
            "```\npython t.py --epochs 1\npython t.py --epochs=120\npython t.py --max_steps 10\n```\n",
            [True, False, True],
        ),
        ("```\npython t.py --debug\npython t.py --epochs 30 --max_steps 100000\n```\n", [True, False]),
        (
            "```\npython t.py --warmup-epochs 3 --epochs 50\npython t.py --gradient-accumulation-steps 4\n```\n",
            [False, False],
        ),
        ("## Test\n```\npython t.py --batch_size 1\n```\nSee `python t.py --debugger_off 1`.", [False, False]),
    ],
)
def test_documents_show_commands_that_only_try_the_program_out(text: str, trials: list[bool]) -> None:
    assert [command.trial for command in commands_of("README.md", text)] == trials
    assert not any(command.trial for command in commands_of("train.sh", "# smoke test\npython train.py --epochs 1\n"))


def test_a_launcher_or_a_target_of_make_that_is_called_a_trial_is_one() -> None:
    targets = {"train: data": 4, "smoke_test dry-run:": 1, "debugger:": 2, "tune debug:": 3}
    make = "B = 1\n" + "".join(f"{target}\n\tpython t.py --b {size}\n\n" for target, size in targets.items())
    assert [command.trial for command in commands_of("Makefile", make)] == [False, True, False, False]
    command = "python t.py --b 1\n"
    names = ("train_debug.sh", "scripts/smoke.sh", "debug/train.sh", "train.sh", "train_no_debug.sh")
    assert [next(commands_of(name, command)).trial for name in names] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("words", "trial"),
    [
        ("--debug", True),
        ("--no-debug", False),
        ("debug=false", False),
        ("--debug 0", False),
        ("--log-level debug", False),
    ],
)
def test_a_command_that_is_not_debugged_is_no_trial(words: str, trial: bool) -> None:
    text = f"```\npython t.py {words}\n```\n"
    assert [command.trial for command in commands_of("README.md", text)] == [trial]


@pytest.mark.parametrize("language", ["powershell", "cmd"])
def test_documents_show_commands_for_shells_of_windows(language: str) -> None:
    block = r"""PS C:\work> python src\train.py --data ..\data\VCTK `
  --epochs 50 ^
  --batch 4 \
  --seed 1
python src\train.py --data C:\data\
python -m pkg.evaluate
"""
    found = list(commands_of("README.md", f"# Use\n```{language}\n{block}```\n"))
    assert [(c.location.line, c.script, c.module, list(c.argv)) for c in found] == [
        (3, "src/train.py", "", ["--data", "../data/VCTK", "--epochs", "50", "--batch", "4", "--seed", "1"]),
        (7, "src/train.py", "", ["--data", "C:/data/"]),
        (8, "", "pkg.evaluate", []),
    ]


def test_variables_and_loops_of_windows() -> None:
    block = """foreach ($seed in 1..3) { python train.py --seed $seed }
python train.py --data %DATA_DIR% --batch 4
"""
    found = list(commands_of("README.md", f"```powershell\n{block}```\n"))
    assert [list(command.argv) for command in found] == [["--seed", "$seed"], ["--data", "$DATA_DIR_", "--batch", "4"]]


def test_commands_lead_to_the_files_they_start(tmp_path: Path) -> None:
    files = {
        "src/train.py": "",
        "recipes/a/train.py": "",
        "recipes/b/train.py": "",
        "pkg/main.py": "",
        "src/run.sh": "python train.py --here 1\n",
        "scripts/go.sh": "cd ../recipes/a\npython train.py --moved 1\ncd ../../\npython src/train.py --back 1\n",
        "scripts/root.sh": "python recipes/b/train.py --root 1\npython -m pkg.main --module 1\n",
        "README.md": "```\ncd my-repo/recipes/b\npython train.py --readme 1\n```\n",
    }
    for path, text in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    tree = SourceTree(tmp_path)
    started = {script: [c.argv[0] for c in tree.launches(script)] for script in tree.python_files}
    assert started == {
        "pkg/main.py": ["--module"],
        "recipes/a/train.py": ["--moved"],
        "recipes/b/train.py": ["--readme", "--root"],
        "src/train.py": ["--back", "--here"],
    }


@settings(deadline=None)
@given(st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12), max_size=5))
def test_quoted_words_come_back_whole(words: list[str]) -> None:
    """Whatever `shlex` quotes, the reader gives back."""
    assert argvs("python train.py " + " ".join(map(shlex.quote, words))) == [words]


@settings(deadline=None)
@given(st.text("ab \t\n\\\"'$(){}[]|&;<>#=*?!`1-", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for simple in commands(text):
        assert simple.words


SHELL = shutil.which("bash")


def test_variables_that_a_command_is_started_with_stand_where_they_are_set() -> None:
    command = only(
        "export SIZE=4 RATE\nRATE=$1; OTHER=2\nexport LATER=$(date)\n"
        "if test -d data; then SIZE=8; fi\nONCE=1 env TWICE=2 python train.py\nexport AFTER=3\n"
    )
    held = {name: (text, str(place)) for name, (text, place) in command.environment.items()}
    assert held == {
        "LATER": ("$(date)", "run.sh:3"),
        "ONCE": ("1", "run.sh:5"),
        "RATE": ("$1", "run.sh:2"),
        "SIZE": ("$SIZE", "run.sh:4"),
        "TWICE": ("2", "run.sh:5"),
    }
    unknown = {name for name, (text, _) in command.environment.items() if isinstance(text, UnknownWord)}
    assert unknown == {"LATER", "RATE", "SIZE"}


PIECES = [
    "A=1",
    'B="$A x"',
    "A+=2",
    "C=$((A + 3))",
    'C=$[A * (2 + $C)]; echo go x$[C/2]y "$[ A - 1 ] z" a[$A] "b$ [c]"',
    "for i in 1 $A; do echo go $i $A; done",
    "echo go $A \"$B\" ${D:-7} '$A'",
    "f() { echo go f $1; A=9; }",
    "f() { :; }; f $A",
    "f() { echo go f $1; A=9; }; f $A",
    "(A=5; echo go $A)",
    "B=a\\ b",
    'echo go "${B}" $B',
    "A=$C",
    "echo go ${NOPE:=3}; echo go $NOPE",
    "{ echo go $A; }",
    "L=(a 'b c' $A); echo go \"${L[@]}\" ${L[1]}",
]


def test_the_older_form_of_arithmetic_counts_as_well() -> None:
    (argv,) = argvs(
        "GPUS=2\nEACH=4\nBATCH=$[GPUS * EACH]\n"
        "python train.py --batch $BATCH --step=$[$BATCH/2]k --x $[y z] $[A[1] * 2]\n"
    )
    assert argv == ["--batch", "8", "--step=4k", "--x", "$[y z]", "$[A[1] * 2]"]
    assert [isinstance(word, UnknownWord) for word in argv] == [False, False, False, False, True, True]


@pytest.mark.skipif(SHELL is None, reason="needs bash to compare with")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_expansion_agrees_with_bash(lines: list[str]) -> None:
    text = "A=3\nB=y\nC=2\n" + "\n".join(lines).replace("echo go", "go") + "\n"
    ours = [
        [word.text for word in simple.words[1:]] if all(word.known for word in simple.words) else None
        for simple in commands(text)
        if simple.words[0].text == "go"
    ]
    assert SHELL is not None
    script = 'go() { printf "%s\\1" "$@"; printf "\\2"; }\n' + text
    result = subprocess.run([SHELL, "-c", script], capture_output=True, text=True, timeout=300, env={})
    theirs = [call.split("\1")[:-1] for call in result.stdout.split("\2")[:-1]]
    assert len(ours) == len(theirs)
    assert all(mine is None or mine == real for mine, real in zip(ours, theirs, strict=True))


def test_a_variable_of_a_loop_stands_where_the_loop_gives_it() -> None:
    command = only("export SIZE=4\nfor SIZE in 8; do\npython train.py\ndone\n")
    assert {name: (text, str(place)) for name, (text, place) in command.environment.items()} == {
        "SIZE": ("8", "run.sh:2")
    }


def test_loops_over_unknown_words_inside_each_other_take_no_turn_too_many() -> None:
    loops = "".join(f"for folder{depth} in $(ls $folder{depth - 1}); do\n" for depth in range(1, 25))
    text = (
        f'{loops}files="$files $folder1"\npython train.py --batch 2 --files $files\n{"done; " * 24}\npython test.py\n'
    )
    started = argvs(text)
    assert len(started) < 10 and started[-1] == []
