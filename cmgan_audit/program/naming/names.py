"""Names of libraries: one spelling for what can be imported from several places."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# The left spelling is an alias of the right one; a dot at the end means the whole prefix.
_ALIASES = {
    "torch.utils.data.dataloader.DataLoader": "torch.utils.data.DataLoader",
    "torch.utils.data.dataset.": "torch.utils.data.",
    "torch.utils.data.sampler.": "torch.utils.data.",
    "torch.utils.data.DistributedSampler": "torch.utils.data.distributed.DistributedSampler",
    "torch.nn.modules.module.": "torch.nn.",
    "torch.nn.modules.": "torch.nn.",
    "torch.nn.DataParallel": "torch.nn.parallel.DataParallel",
    "torch.nn.parallel.distributed.": "torch.nn.parallel.",
    "torch.nn.parallel.data_parallel.": "torch.nn.parallel.",
    "torch.distributed.distributed_c10d.": "torch.distributed.",
    "torch.autograd.no_grad": "torch.no_grad",
    "torch.autograd.grad_mode.": "torch.",
    "torch.autograd.set_grad_enabled": "torch.set_grad_enabled",
    "torch._C._set_grad_enabled": "torch.set_grad_enabled",
    "torch.autograd.inference_mode": "torch.inference_mode",
    "torch.cuda.amp.autocast": "torch.autocast",
    "torch.amp.autocast": "torch.autocast",
    "torch.random.manual_seed": "torch.manual_seed",
    "torch.random.get_rng_state": "torch.get_rng_state",
    "torch.random.set_rng_state": "torch.set_rng_state",
    "torch.cuda.random.": "torch.cuda.",
    "torch.multiprocessing.spawn.spawn": "torch.multiprocessing.spawn",
    "numpy.random.mtrand.": "numpy.random.",
    "pytorch_lightning.": "lightning.pytorch.",
    "lightning.LightningModule": "lightning.pytorch.LightningModule",
    "lightning.LightningDataModule": "lightning.pytorch.LightningDataModule",
    "lightning.Trainer": "lightning.pytorch.Trainer",
    "lightning.seed_everything": "lightning.pytorch.seed_everything",
    "lightning.Callback": "lightning.pytorch.Callback",
    "lightning.pytorch.core.lightning.LightningModule": "lightning.pytorch.LightningModule",
    "lightning.pytorch.core.LightningModule": "lightning.pytorch.LightningModule",
    "lightning.pytorch.core.module.LightningModule": "lightning.pytorch.LightningModule",
    "lightning.pytorch.core.datamodule.LightningDataModule": "lightning.pytorch.LightningDataModule",
    "lightning.pytorch.core.LightningDataModule": "lightning.pytorch.LightningDataModule",
    "lightning.pytorch.trainer.Trainer": "lightning.pytorch.Trainer",
    "speechbrain.core.Stage.": "speechbrain.Stage.",
    "catalyst.dl.runner.supervised.": "catalyst.dl.",
    "catalyst.dl.runner.": "catalyst.dl.",
    "catalyst.runners.supervised.": "catalyst.dl.",
    "catalyst.runners.runner.": "catalyst.dl.",
    "catalyst.runners.": "catalyst.dl.",
    "transformers.trainer.Trainer": "transformers.Trainer",
    "transformers.trainer_seq2seq.Seq2SeqTrainer": "transformers.Seq2SeqTrainer",
    "transformers.training_args.TrainingArguments": "transformers.TrainingArguments",
    "transformers.training_args_seq2seq.Seq2SeqTrainingArguments": "transformers.Seq2SeqTrainingArguments",
    "easydict.EasyDict": "easydict.EasyDict",
    "absl.flags._flags.": "absl.flags.",
    "optuna.study.create_study": "optuna.create_study",
    "optuna.study.load_study": "optuna.load_study",
    "omegaconf.omegaconf.OmegaConf": "omegaconf.OmegaConf",
}
# The modules of torchmetrics' audio classes import the functions that these call, and programs take them from there.
_OF_CLASS_MODULES = {
    "pesq": "perceptual_evaluation_speech_quality",
    "stoi": "short_time_objective_intelligibility",
    "sdr": "scale_invariant_signal_distortion_ratio signal_distortion_ratio",
    "snr": "scale_invariant_signal_noise_ratio signal_noise_ratio",
}
_ALIASES |= {
    f"torchmetrics.audio.{module}.{function}": f"torchmetrics.functional.audio.{module}.{function}"
    for module, functions in _OF_CLASS_MODULES.items()
    for function in functions.split()
}
_EXACT = {alias: name for alias, name in _ALIASES.items() if not alias.endswith(".")}
_PREFIXES = {alias: name for alias, name in _ALIASES.items() if alias.endswith(".")}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What `from library import *` brings, for the libraries that people do import like this.
_STAR_NAMES = {
    "torch.utils.data": _words(
        "DataLoader Dataset IterableDataset TensorDataset ConcatDataset ChainDataset Subset random_split Sampler "
        "RandomSampler SequentialSampler SubsetRandomSampler WeightedRandomSampler BatchSampler "
        "DistributedSampler default_collate get_worker_info"
    ),
    "torch": _words(
        "nn optim utils cuda Tensor FloatTensor LongTensor tensor from_numpy no_grad stft istft cat stack zeros ones "
        "randn rand randint randperm manual_seed load save device distributed backends"
    ),
    "torch.nn": _words("Module ModuleList Sequential Conv1d Conv2d Linear LSTM GRU functional init parallel"),
}
# Where Python's own modules lie, and those that people import like this, too: what they bring is asked of themselves.
_PYTHON = Path(os.__file__).parent
_STANDARD = _words("collections copy dataclasses datetime functools itertools math os pathlib random sys time typing")

# Libraries that train, or that know sound: these words mean nothing else.
_TRAINING = _words(
    "torch torchaudio torchvision torchinfo torchsummary torchmetrics pytorch_lightning lightning lightning_fabric "
    "accelerate transformers deepspeed apex horovod fairseq espnet onnxruntime tensorflow keras jax flax "
    "librosa soundfile pesq pystoi museval sox soxr resampy julius auraloss asteroid webrtcvad pyworld"
)
_WELL_KNOWN = _TRAINING | _words(
    "numpy scipy pandas matplotlib tensorboard tensorboardX wandb tqdm "
    "yaml toml tomli json json5 omegaconf hydra hyperpyyaml datasets einops sklearn skimage cv2 PIL requests click "
    "typer tyro argparse_dataclass absl fire natsort joblib h5py lmdb numba thop ptflops rich colorlog "
    "easydict box addict attrdict munch pydantic attrs attr ray optuna submitit onnx six"
)
# Further libraries that models and facts know; a folder of the tree may well bear such a name.
_TRAINING_TOO = _words("speechbrain ignite catalyst torch_xla torchdata trl bitsandbytes safetensors pypesq mir_eval")
_LOOKED_AT_TOO = _words(
    "cloudpickle configargparse dill docopt dora dotmap dotted_dict jsonargparse ml_collections multiprocess pathos "
    "prefigure prodict psutil rich_click ruamel sacred tap tomlkit yacs commentjson glob2 jstyleson orjson pyjson5 "
    "PinkBlack pytoml rapidjson rtoml simplejson ujson yamlargparse"
)

# Frameworks whose training loops are modelled (`trainers.py`), and a file that only the framework's own package has.
MODELLED = {"speechbrain": "core.py"}


@cache
def canonical(name: str) -> str:
    """The one spelling of a qualified library name; names without an alias come back unchanged."""
    for _ in range(4):
        if name in _EXACT and _EXACT[name] != name:
            name = _EXACT[name]
            continue
        for prefix, replacement in _PREFIXES.items():
            if name.startswith(prefix):
                name = replacement + name[len(prefix) :]
                break
        else:
            return name
    return name


def is_library(name: str) -> bool:
    """Whether a module name certainly belongs to a library: then a far folder of the same name is not meant."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in _WELL_KNOWN


def looked_at() -> frozenset[str]:
    """The libraries without whose objects nothing can be found: a program of Python's own modules trains no model."""
    return (_WELL_KNOWN | _TRAINING_TOO | _LOOKED_AT_TOO) - sys.stdlib_module_names


def training_libraries() -> frozenset[str]:
    """Those of them that train or know sound, whose names mean nothing else."""
    return _TRAINING | _TRAINING_TOO


def from_star(libraries: list[str], name: str) -> str | None:
    """The qualified name of what `from library import *` brought under this name; None when none is known to have it.

    The last library that is known to hold the name wins; a name that no list has is taken from a single unknown one.
    """
    for library in reversed(libraries):
        if name in (_names_by_star(library) or ()):
            return canonical(f"{library}.{name}")
    unknown = [library for library in libraries if _names_by_star(library) is None]
    return canonical(f"{unknown[-1]}.{name}") if unknown else None


@cache
def _names_by_star(library: str) -> frozenset[str] | None:
    """The names that `from library import *` brings, as far as they matter; None for a library that is not known."""
    if library not in _STANDARD or not _is_of_python(library):
        return _STAR_NAMES.get(library)
    module = import_module(library)
    public = (name for name in vars(module) if not name.startswith("_"))
    return frozenset(getattr(module, "__all__", public))


def _is_of_python(library: str) -> bool:
    """Whether a module would come from Python itself: a `random.py` of the audited tree may stand before it."""
    origin = getattr(find_spec(library), "origin", None)
    return origin in ("built-in", "frozen") or (origin is not None and Path(origin).is_relative_to(_PYTHON))
