"""absl: flags of every kind, `app.run`, the configuration files of ml_collections; and what gin may set."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

from collections.abc import Callable

from cmgan_audit.program.domain.values import Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
MAIN = "if __name__ == '__main__':\n    "


ABSL = (
    "import sink\nfrom absl import app, flags\nFLAGS = flags.FLAGS\nflags.DEFINE_integer('batch', 2, 'items')\n"
    "flags.DEFINE_bool('amp', True, 'x')\nNAMES = flags.DEFINE_multi_string('name', 'a', 'x')\nflags.DEFINE_list('part', None, 'x')\n"
    "def main(argv):\n    sink.show((FLAGS.batch, FLAGS.amp, NAMES.value, FLAGS.part))\n" + MAIN + "app.run(main)\n"
)


def test_flags_of_absl(show: Show) -> None:
    words = "--batch=8 --noamp --name b --name=c --part 1,2"
    shown = show({"train.py": ABSL, "run.sh": f"python train.py {words}\n"})
    assert shown.plain() == [(2, True, ["a"], None)]
    assert shown.plain(f"run.sh: {words}") == [(8, False, ["b", "c"], ["1", "2"])]


def test_a_switch_of_absl_takes_no_word(show: Show) -> None:
    shown = show({"train.py": ABSL, "run.sh": "python train.py --amp first --batch 4\npython train.py --amp=no\n"})
    assert shown.plain("run.sh: --amp first --batch 4") == [(4, True, ["a"], None)]
    assert shown.plain("run.sh: --amp=no") == [(2, False, ["a"], None)]


def test_configuration_files_of_ml_collections(show: Show) -> None:
    files = {
        "train.py": "import sink\nfrom absl import app, flags\nfrom ml_collections import config_flags\nFLAGS = flags.FLAGS\n"
        "config_flags.DEFINE_config_file('config', None, 'settings')\n"
        "def main(argv):\n    sink.show(FLAGS.config.training.batch_size)\n" + MAIN + "app.run(main)\n",
        "configs/small.py": "import ml_collections\ndef get_config():\n    config = ml_collections.ConfigDict()\n"
        "    config.training = training = ml_collections.ConfigDict()\n    training.batch_size = 3\n    return config\n",
        "run.sh": "python train.py --config configs/small.py\npython train.py --config=configs/small.py --config.training.batch_size=5\n",
    }
    shown = show(files)
    assert shown.plain("run.sh: --config configs/small.py") == [3]
    assert shown.plain("run.sh: --config=configs/small.py --config.training.batch_size=5") == [5]


def test_what_gin_may_set_is_not_taken_from_its_default(show: Show) -> None:
    text = (
        "import gin, sink\n@gin.configurable\ndef build(batch_size=1, *, size=2):\n    sink.show((batch_size, size))\n"
        "@gin.configurable(module='x')\nclass Net:\n    def __init__(self, size=1):\n        sink.show(size)\n"
        "    def scale(self, by=3):\n        sink.show(by)\n"
        "class Part:\n    def __init__(self, size=5):\n        sink.show(size)\n"
        "@gin.configurable\nclass Given(Part):\n    pass\n"
        "@gin.configurable\nclass Fixed(Part):\n    def __init__(self):\n        super().__init__()\n"
        "build(size=4)\nNet().scale()\nGiven()\nFixed()\n"
    )
    assert show(text).plain() == [(Unknown, 4), Unknown, 3, Unknown, 5]


def test_a_required_flag_of_absl_without_a_word_is_open(show: Show) -> None:
    text = (
        "import sink\nfrom absl import app, flags\nFLAGS = flags.FLAGS\nflags.DEFINE_string('model', None, 'x', required=True)\n"
        "flags.DEFINE_string('data', None, 'x')\nflags.DEFINE_integer('size', 3, 'x', required=True)\nflags.DEFINE_string('name', None, 'x')\n"
        "flags.DEFINE_string('out', None, 'x')\nflags.mark_flag_as_required('data')\nflags.mark_flags_as_required(['out', 'size'])\n"
        "def main(argv):\n    sink.show((FLAGS.model, FLAGS.data, FLAGS.size, FLAGS.name, FLAGS.out))\n"
        "    if FLAGS.model is None:\n        exit()\n    sink.show('after')\n" + MAIN + "app.run(main)\n"
    )
    shown = show({"train.py": text, "run.sh": "python train.py --model m --data d --out o\n"})
    assert shown.plain() == [(Unknown, Unknown, 3, None, Unknown), "after"]
    assert shown.plain("run.sh: --model m --data d --out o") == [("m", "d", 3, None, "o"), "after"]
