"""In the child: turn what a user named into something that enhances."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from cmgan_audit.evaluation.models.enhancer import ModelError, Samples
from cmgan_audit.evaluation.models.hosted.wire import Header
from cmgan_audit.lazy_dataclasses import dataclass

PIPELINES = ("cmgan", "waveform")

# What was imported: a factory, or the network that was built of a class; None where the checkpoint is the model.
Code: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class HostedModel:
    """A loaded model.

    Attributes:
        run: one utterance in, whatever the user's code returned out.
        digest: hex digest of the user's source files that were loaded.
        parameters: count, None if it is no network.
        contents: what the checkpoint says and holds, as far as it could be read (see `contents`).
    """

    run: Callable[[Samples], object]
    digest: str
    parameters: int | None
    contents: Header = field(default_factory=dict)

    def enhance(self, noisy: Samples) -> Samples:
        """Run one utterance and hold the result to the interface.

        Raises:
            ModelError: the result is not float32 audio of one dimension.
        """
        _seed()
        return as_audio(self.run(noisy))


def _seed() -> None:
    """A model that draws noise, from whichever generator, gives the same for an utterance on every run."""
    random.seed(0)
    np.random.seed(0)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)


def as_audio(result: Any) -> Samples:
    """A result as float32 samples.

    A tensor is taken to the CPU, other floating types and axes of one (a batch of one utterance, one channel) mean
    nothing else. Integers do: their scale is anybody's guess.

    Raises:
        ModelError: it has another type or shape.
    """
    if hasattr(result, "detach") and hasattr(result, "cpu"):
        result = result.detach().cpu()
        result = (result.float() if result.is_floating_point() else result).numpy()
    if not isinstance(result, np.ndarray):
        raise ModelError(f"returned {type(result).__name__}, where a float32 array of shape [samples] is expected")
    if not np.issubdtype(result.dtype, np.floating):
        raise ModelError(f"returned {result.dtype}, where float32 is expected, with a full scale of 1.0")
    if result.ndim == 0 or result.size != result.shape[-1]:
        raise ModelError(f"returned shape {list(result.shape)}, where one utterance has shape [samples]")
    return np.ascontiguousarray(result.reshape(-1), dtype=np.float32)


def load_code(request: Header) -> Code:
    """Import what an `import` request names (see `hosted.enhancer`), and build its network where it is a class of one.

    Raises:
        ModelError: what was named is not there, or cannot be built.
        Exception: whatever the user's code raises.
    """
    kind = str(request["kind"])
    if kind == "onnx":
        return None
    sys.path.insert(0, str(request["root"]))
    found = _find(str(request["code"]))
    if kind == "factory":
        return found
    from cmgan_audit.evaluation.models.hosted.repository import build_network

    kwargs = request["kwargs"]
    assert isinstance(kwargs, dict)
    return build_network(found, kwargs)


def load_model(request: Header, code: Code) -> HostedModel:
    """Load the checkpoint of an `open` request with the code that was imported for it.

    Raises:
        ModelError: the factory gave no model.
        CheckpointError: the checkpoint cannot be read or does not fit.
        Exception: whatever the user's code raises.
    """
    kind = str(request["kind"])
    checkpoint, device = Path(str(request["checkpoint"])), str(request["device"])
    if kind == "onnx":
        from cmgan_audit.evaluation.models.hosted.graphs import graph_runner

        return HostedModel(graph_runner(checkpoint, device), "", None)
    assert code is not None
    if kind == "factory":
        made = code(str(checkpoint), device)
        run, network = _from_factory(made, device, str(request["code"]))
        contents = _contents(checkpoint, network)
    else:
        from cmgan_audit.evaluation.models.hosted.repository import load_network

        network, contents = load_network(code, checkpoint, request.get("weights"))
        run = _network_runner(network, str(request["pipeline"]), {}, device)
    parameters = None if network is None else sum(parameter.numel() for parameter in network.parameters())
    return HostedModel(run, source_digest(Path(str(request["root"]))), parameters, contents)


def _find(code: str) -> Callable[..., Any]:
    """The callable that `PATH.py:name` or `package.module:name` names."""
    place, _, name = code.rpartition(":")
    module = _import_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            names = [each for each in vars(found) if not each.startswith("_") and callable(getattr(found, each))]
            raise ModelError(f"{place} has no {part}; it has: {', '.join(names[:12]) or 'nothing that can be called'}")
        found = getattr(found, part)
    if not callable(found):
        raise ModelError(f"{code} is a {type(found).__name__}, which cannot be called")
    return found  # type: ignore[no-any-return]


def _import_file(path: Path) -> ModuleType:
    # Not under its own name: `gtcrn.py` may well import a module `gtcrn` of the repository that it is written for.
    name = f"named_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import would: dataclasses and pickling look a class's module up
    spec.loader.exec_module(module)
    return module


def _from_factory(made: object, device: str, code: str) -> tuple[Callable[[Samples], object], Any]:
    """What enhances, and its network if it is one.

    A factory returns a function of samples, an object with a method `enhance`, or (network, pipeline) or
    (network, pipeline, settings of the pipeline).
    """
    if isinstance(made, tuple):
        if len(made) not in (2, 3) or made[1] not in PIPELINES or not isinstance(made[-1], str | Mapping):
            raise ModelError(
                f"{code} returned a tuple, which must be (network, pipeline) or (network, pipeline, settings), with a "
                f"pipeline of {', '.join(PIPELINES)}"
            )
        settings = dict(made[2]) if len(made) == 3 else {}
        return _network_runner(made[0], made[1], settings, device), made[0]
    if hasattr(made, "enhance"):
        return made.enhance, None
    if hasattr(made, "state_dict"):
        raise ModelError(f"{code} returned a network alone; name its pipeline: return network, 'cmgan' or 'waveform'")
    if callable(made):
        return made, None
    raise ModelError(
        f"{code} returned {type(made).__name__}; a factory returns a function of samples, an object with `enhance`, or "
        "(network, pipeline)"
    )


def _network_runner(network: Any, pipeline: str, settings: dict[str, Any], device: str) -> Callable[[Samples], object]:
    from cmgan_audit.evaluation.models.hosted.networks import network_runner

    return network_runner(network, pipeline, settings, device)


def _contents(checkpoint: Path, network: Any) -> Header:
    from cmgan_audit.evaluation.models.hosted.contents import contents_of

    return contents_of(checkpoint, network)


def source_digest(root: Path) -> str:
    """Hex digest of the Python files below a folder that are loaded now."""
    files = {}
    for module in list(sys.modules.values()):
        place = getattr(module, "__file__", None)
        if isinstance(place, str) and place.endswith(".py"):
            path = Path(place).resolve()
            if path.is_relative_to(root) and "site-packages" not in path.parts and path.is_file():
                files[path.relative_to(root).as_posix()] = path
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0".encode() + hashlib.sha256(files[name].read_bytes()).digest())
    return total.hexdigest()
