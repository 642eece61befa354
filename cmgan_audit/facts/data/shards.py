"""Several processes that train one network: whether each gets a part of the training set."""

from __future__ import annotations

import ast

from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.data.streams import is_stream
from cmgan_audit.facts.items.making import items_of
from cmgan_audit.facts.processes import sizes_of_groups
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.values import class_name, constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Instance, Symbol
from cmgan_audit.program.execution.trace import CallEvent, Condition
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown

_WRAPPER = regex(r".*\b(DistributedDataParallel|FullyShardedDataParallel)|torch\.distributed\._composable\..*")
# Frameworks that give every process its part.
_INJECTING = regex(r"(accelerate|deepspeed|transformers|ray|composer|colossalai|lightning|pytorch_lightning)\b.*")
_TORCH = regex(r"(torch|torchaudio|torchvision)\..*")
_RANK = regex(r"(.*_)?(rank|local_rank|world_size|num_replicas|n_?gpus?|num_gpus|shard\w*|gpu)")
_RANK_CALL = regex(r".*\b(rank|get_rank|world_size|get_world_size)\b.*")


def distributed(view: View) -> Fact:
    """Whether the run trains one network in several processes."""
    sizes = sizes_of_groups(view.scene)
    wrapped = [event for event in view.scene.calls if _WRAPPER.fullmatch(canonical(event.callee))]
    if not sizes or not wrapped:
        return Known(False)
    if all(constant(size) == 1 for size in sizes):
        return Known(False)
    name = canonical(wrapped[0].callee).rpartition(".")[2]
    condition = _condition(wrapped[0])
    note = f"{name} trains one network in several processes{f', where {condition}' if condition else ''}"
    return Known(True, (Step(wrapped[0].location, note),))


def _condition(event: CallEvent) -> str:
    return " and ".join(dict.fromkeys(condition.text for condition in event.context.conditions[:2]))


def sharded(view: View, made: Made, loader: Loader) -> tuple[Fact, str]:
    """Whether each process gets a part of a loader's items, and who splits them."""
    sampler = loader.sampler
    if sampler is not None and isinstance(sampler.shards, OneOf):
        return Known(True), f"{sampler.name} splits the items"  # it is there where several processes run
    if sampler is not None and (not isinstance(sampler.shards, Known) or sampler.shards.value):
        return sampler.shards, f"{sampler.name} splits the items"
    if sampler is not None and not _plain_sampler(made):
        return Unknown(f"{sampler.name} may split the items"), ""
    for single in view.scene.passes_over(made.loader):
        if single.event.framework:
            return Known(True), f"{single.event.framework} splits the items"
    for event in view.scene.calls:
        if _INJECTING.fullmatch(canonical(event.callee)):
            return Known(True), f"{event.callee} may split the items"
    who = _split_by_data(view, made)
    if who:
        return Known(True), who
    foreign = _foreign_dataset(made)
    if foreign or made.arguments.open_kwargs:
        return Unknown(foreign or made.arguments.open_kwargs), ""
    if _single_process(view, made):
        return Known(True), "it is made where one process runs"
    return Known(False, (Step(made.location, "no sampler splits the items over the processes"),)), ""


def _plain_sampler(made: Made) -> bool:
    """Whether the sampler is one of torch that knows of one process only."""
    for given in (made.arguments.get("sampler", 3), made.arguments.get("batch_sampler", 4)):
        for each in instances_of(given):
            if not isinstance(each.cls, ClassValue) and each.external_name.startswith("torch.utils.data."):
                return True
    return False


def _split_by_data(view: View, made: Made) -> str:
    """Who splits the items by hand: a stream, a dataset that knows its process, a slice by rank."""
    given = made.arguments.get("dataset", 0)
    items = items_of(view.scene, made)
    for each in [*instances_of(given), *items.datasets]:
        if is_stream(each):
            return f"{class_name(each)} is a stream and may split its items itself"
        if isinstance(each.cls, ClassValue) and _knows_rank(each):
            return f"{class_name(each)} knows which process it serves"
    for value in values_within(given) if given is not None else ():
        if isinstance(value, Symbol) and "rank" in value.formula:
            return "the items are picked by rank"
    for reached in view.code.reached:
        for node in reached.own_nodes():
            if _RANK_CALL.fullmatch(_beginning(node)):
                return f"the items are sliced by rank at {reached.module.location(node)}"
    return ""


def _foreign_dataset(made: Made) -> str:
    """A dataset of which nobody here can say whether it splits its items: one of a library other than torch's own."""
    for each in made.datasets:
        if not isinstance(each.cls, ClassValue) and not _TORCH.fullmatch(each.external_name):
            return f"{each.external_name.partition('.')[0]} makes the dataset, and may split its items itself"
    return ""


def _beginning(node: ast.AST) -> str:
    """What says where a part begins: a slice, `[rank::world]`, or the first of three numbers, `range(rank, n, world)`.

    `range(0, n, rank)` goes through a matrix of low rank.
    """
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return ast.unparse(node.slice)
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("range", "arange", "islice"):
        return ast.unparse(node.args[-3]) if len(node.args) >= 3 else ""
    return ""


def _knows_rank(dataset: Instance) -> bool:
    names = [*dataset.attrs, *dataset.arguments.keywords]
    if any(_RANK.fullmatch(name) for name in names):
        return True
    assert isinstance(dataset.cls, ClassValue)
    for node in ast.walk(dataset.cls.node):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if _RANK_CALL.fullmatch(name):
            return True
    return False


def _single_process(view: View, made: Made) -> bool:
    """Whether the loader lies on the other side of the branch that makes the network distributed."""
    wrapped = [event for event in view.scene.calls if _WRAPPER.fullmatch(canonical(event.callee))]
    here = made.context.conditions
    return bool(wrapped) and all(_contradict(here, event.context.conditions) for event in wrapped)


def _contradict(one: tuple[Condition, ...], two: tuple[Condition, ...]) -> bool:
    texts, others = {condition.text for condition in one}, {condition.text for condition in two}
    return any(f"not ({text})" in others for text in texts) or any(f"not ({text})" in texts for text in others)
