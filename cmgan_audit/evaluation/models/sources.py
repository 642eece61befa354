"""From the command line's words on the model to what opens a checkpoint with it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path

from cmgan_audit.errors import MissingExtraError, UsageError
from cmgan_audit.evaluation.models.enhancer import Enhancer
from cmgan_audit.evaluation.models.opening import BUILT_IN_MODELS, open_checkpoint
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

PIPELINES = ("cmgan", "waveform")

_CODE = regex(r"(?P<place>.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The options of `compare-ckpts` that decide how a checkpoint becomes an enhancer, each named after its flag.

    Attributes:
        model: `--model`: `cmgan`, `onnx`, `PATH.py:callable` or `package.module:callable`.
        repo: `--repo DIR`: a training repository whose own network class is used.
        network: `--network MODULE:CLASS`, with `repo`.
        kwargs: `--kwargs NAME=VALUE,...`: arguments of the class, as Python literals or bare words.
        pipeline: `--pipeline cmgan|waveform`: what is around the network, with `repo`.
        enhance_command: `--enhance-command 'PROGRAM ... {checkpoint} {noisy} {out}'`.
        device: `--device`: `cpu`, `cuda` or `cuda:N`.
        official_chunking: `--official-chunking`, built-in model only.
        weights: `--weights WORD`: which of several sets of weights in a file.
    """

    model: str = "cmgan"
    repo: Path | None = None
    network: str | None = None
    kwargs: str = ""
    pipeline: str = "cmgan"
    enhance_command: str | None = None
    device: str = "cpu"
    official_chunking: bool = False
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSource:
    """How checkpoints are opened.

    Attributes:
        open: from a checkpoint's path to an enhancer; raises CheckpointError, ModelError or DeviceError.
        notice: what to tell the user once before anything runs: that their code is run; None for built-in models.
    """

    open: Callable[[Path], Enhancer]
    notice: str | None


def model_source(options: ModelOptions) -> ModelSource:
    """Understand the model options; nothing of the user's code runs before `open` is called.

    Raises:
        UsageError: options exclude each other, are incomplete or malformed, or name what is not there.
    """
    chosen = [
        flag
        for flag, given in (
            (f"--model {options.model}", options.model != "cmgan"),
            ("--repo", options.repo is not None),
            ("--enhance-command", options.enhance_command is not None),
        )
        if given
    ]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other: each says which model to use")
    if options.repo is None and (options.network is not None or options.kwargs or options.pipeline != "cmgan"):
        raise UsageError("--network, --kwargs and --pipeline go with --repo DIR")
    if options.official_chunking and chosen:
        raise UsageError(f"--official-chunking is for the built-in model and does not go with {chosen[0]}")
    if options.enhance_command is not None:
        return _command_source(options.enhance_command)
    if options.repo is not None:
        return _repository_source(options, options.repo)
    if options.model in BUILT_IN_MODELS:
        return ModelSource(lambda path: open_built_in(path, options), None)
    return _onnx_source(options) if options.model == "onnx" else _factory_source(options)


def open_built_in(path: Path, options: ModelOptions) -> Enhancer:
    """Open a checkpoint with a built-in model."""
    return open_checkpoint(
        path,
        options.model,
        options.device,
        official_chunking=options.official_chunking,
        weights=options.weights,
    )


def _command_source(command: str) -> ModelSource:
    from cmgan_audit.evaluation.models.command import CommandEnhancer, parse_command

    arguments = parse_command(command)
    return ModelSource(
        lambda path: CommandEnhancer(arguments, path), f"runs the command {arguments[0]} once an utterance"
    )


def _onnx_source(options: ModelOptions) -> ModelSource:
    from cmgan_audit.evaluation.models.hosted.enhancer import CodeModel, HostedEnhancer

    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("--model onnx", "onnx")
    if options.weights is not None:
        raise UsageError("--weights: an ONNX file holds one set of weights")
    model = CodeModel("onnx", "onnx", Path())
    return ModelSource(lambda path: HostedEnhancer(model, path, options.device), None)


def _factory_source(options: ModelOptions) -> ModelSource:
    from cmgan_audit.evaluation.models.hosted.enhancer import CodeModel, HostedEnhancer

    if options.weights is not None:
        raise UsageError("--weights: a factory of yours reads the checkpoint itself and decides which weights it takes")
    code, root = _parse_code("--model", options.model, Path.cwd(), f"{', '.join(BUILT_IN_MODELS)}, onnx, ")
    model = CodeModel("factory", code, root)
    notice = f"runs the code of {options.model} in a process of its own"
    return ModelSource(lambda path: HostedEnhancer(model, path, options.device), notice)


def _repository_source(options: ModelOptions, repo: Path) -> ModelSource:
    from cmgan_audit.evaluation.models.hosted.enhancer import CodeModel, HostedEnhancer

    if not repo.is_dir():
        raise UsageError(f"--repo {repo}: there is no such folder")
    if options.network is None:
        raise UsageError("--repo needs --network MODULE:CLASS, such as --network models.generator:TSCNet")
    if options.pipeline not in PIPELINES:
        raise UsageError(f"--pipeline {options.pipeline}: not one of {', '.join(PIPELINES)}")
    code, _ = _parse_code("--network", options.network, repo, "")
    kwargs = parse_kwargs(options.kwargs)
    model = CodeModel("network", code, repo.resolve(), options.pipeline, kwargs, options.weights)
    notice = f"runs the code of {options.network} in {repo} in a process of its own"
    return ModelSource(lambda path: HostedEnhancer(model, path, options.device), notice)


def _parse_code(option: str, value: str, base: Path, also: str) -> tuple[str, Path]:
    """`PATH.py:name` with an absolute path, or `package.module:name`, and the folder that its imports start from."""
    match = _CODE.fullmatch(value)
    if match is None:
        raise UsageError(f"{option} {value}: not one of {also}PATH.py:callable, package.module:callable")
    place = match["place"]
    if not place.endswith(".py"):
        return value, base.resolve()
    path = (base / place).resolve()
    if not path.is_file():
        raise UsageError(f"{option} {value}: there is no file {path}")
    return f"{path}:{match['name']}", path.parent


def parse_kwargs(text: str) -> dict[str, JsonValue]:
    """Arguments such as `num_channel=64,act=relu,sizes=[1,2]`: Python literals; a bare word is a string.

    Raises:
        UsageError: the text is no list of NAME=VALUE.
    """
    if not text.strip():
        return {}
    wrong = UsageError(f"--kwargs {text}: write NAME=VALUE,NAME=VALUE with numbers, words, quoted text or lists")
    try:
        call = ast.parse(f"f({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise wrong from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise wrong
    values: dict[str, JsonValue] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise wrong
        try:
            value = keyword.value.id if isinstance(keyword.value, ast.Name) else ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise wrong from error
        values[keyword.arg] = _as_json(value, wrong)
    return values


def _as_json(value: object, wrong: UsageError) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_as_json(item, wrong) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _as_json(item, wrong) for key, item in value.items()}
    raise wrong
