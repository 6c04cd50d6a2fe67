"""Several forwards, one after the other as in training, and the different graphs that they build.

DistributedDataParallel expects what the first iteration showed: which parameters get a gradient, or with static_graph how often
each one does. One forward cannot tell whether the next builds the same graph. So forward runs several times with the same
arguments, while the random numbers and the model's state (counters, caches, buffers) go on as they would in training. Sizes and
memory may differ from forward to forward; the graph is what gradients flow through.

    found = run_forwards(step, iterations=4)
    found.graphs[found.turns[2]]     the graph that the third forward built

A later forward that fails ends the series, and so does one that uses the graph of an earlier one: in training, backward has
freed that graph by then. Then training runs what is not among the graphs. Nor may all graphs be known if the last forward built
a new one.
"""

from __future__ import annotations

import dataclasses
import gc
from typing import Any, Protocol

from torch.autograd import _get_sequence_nr  # type: ignore[attr-defined]

from gradscan.ddp import describe_outputs
from gradscan.errors import Error
from gradscan.inputs import bind, named_tensors
from gradscan.intercept import Call
from gradscan.loss import LossInputs
from gradscan.observe import Observer
from gradscan.places import tensor_places
from gradscan.restore import unchanged
from gradscan.step import Step
from gradscan.walk import Json, Walk


@dataclasses.dataclass
class Forwards:
    """Each graph has the keys "regions", "nodes", "storages", "outputs" and "constant_flops" of a capture."""

    graphs: list[Json]  # the different ones, in the order of their first appearance
    turns: list[int]  # for each forward: its graph's position in that list
    notes: list[str]
    varying: list[str]  # why another forward may build another graph
    uses_outside: bool  # whether the loss uses parameters outside of forward
    ended: list[str] = dataclasses.field(default_factory=list)  # why there are fewer forwards than requested

    @property
    def ends_with_new_graph(self) -> bool:
        """Whether the last forward built a graph that none had built before."""
        return self.turns.count(self.turns[-1]) == 1

    @property
    def iterations_until_end(self) -> int:
        """How many iterations it takes to see in training why the series ended early, if it did."""
        return len(self.turns) + 1 if self.ended else 1

    def difference(self) -> list[str]:
        """The sentence that says that the graphs differ and where, if they do."""
        if len(self.graphs) == 1:
            return []
        place = _first_difference(*(_operations(graph) for graph in self.graphs[:2]))
        count = f"{len(self.turns)} forwards with the same arguments built {len(self.graphs)} different graphs"
        return [f"{count}, the first two of which differ in {place}" if place else count]


class Between(Protocol):
    """What training does between two forwards."""

    def note(self, call: Call) -> None:
        """An outermost region is called."""

    def run(self) -> None:
        """The forward has ended."""


def run_forwards(step: Step, iterations: int, between: Between | None = None) -> Forwards:
    """Observes up to `iterations` forwards. An exception in the first one is raised."""
    require_iterations(iterations)
    forward = _Forward(step, between)
    with unchanged(step.model, (step.args, step.kwargs)) as restore_arguments:
        found = forward.run()
        while len(found.turns) < iterations:
            try:
                restore_arguments()
                gc.collect()  # cyclic references may keep the last graph, as do frames that have imported a module
                following = forward.run()
            except Exception as error:  # noqa: BLE001  the forwards before it are worth a report
                found.ended = [f"a later forward with the same arguments fails ({type(error).__name__}: {error})"]
                break
            if forward.uses_earlier_graph:
                found.ended = ["a later forward uses the graph of an earlier one, which backward frees: detach what it keeps"]
                break
            _add(found, following)
    return found


def require_iterations(iterations: int) -> None:
    """Raises Error if there is to be no forward at all."""
    if iterations < 1:
        raise Error(f"iterations is {iterations}: pass 1 or more")


class _Forward:
    """One observed forward after the other."""

    def __init__(self, step: Step, between: Between | None) -> None:
        self._step, self._between = step, between
        self._start = _get_sequence_nr()
        self.uses_earlier_graph = False  # whether the newest one does

    def run(self) -> Forwards:
        """The forward as a series of one."""
        model, parameters = self._step.model, self._step.parameters
        args, kwargs = self._step.own_arguments()
        inputs = [place.tensor for place in named_tensors(bind(model, args, kwargs))]
        alive_anyway = [*(parameter.tensor for parameter in parameters), *model.buffers(), *inputs]
        first = _get_sequence_nr()
        with Observer(model, self._between.note if self._between else None) as observer:
            output = model(*args, **kwargs)
            observer.run_functions()
        places = tensor_places(output, "output")
        used = LossInputs(self._step.loss, output, places, parameters)
        walk = Walk(observer, parameters, alive_anyway)
        walk.run(places, used.contain)
        self.uses_earlier_graph = walk.contains(range(self._start, first))
        seen_by_ddp = describe_outputs(output, places)
        if self._between:
            self._between.run()
        return Forwards(
            [
                {
                    "regions": walk.regions,
                    "nodes": walk.nodes,
                    "storages": walk.storages,
                    "outputs": [a | b for a, b in zip(seen_by_ddp, walk.outputs, strict=True)],
                    "constant_flops": walk.constant_flops,
                }
            ],
            [0],
            observer.notes() + used.notes() + walk.notes,
            observer.varying() + observer.unseen(),
            bool(used.used_outside),
        )


def _add(found: Forwards, following: Forwards) -> None:
    graph = following.graphs[0]
    same = next((k for k, known in enumerate(found.graphs) if _form(known) == _form(graph)), len(found.graphs))
    if same == len(found.graphs):
        found.graphs.append(graph)
    found.turns.append(same)
    found.notes += [note for note in following.notes if note not in found.notes]
    found.uses_outside = found.uses_outside or following.uses_outside
    found.varying += [reason for reason in following.varying if reason not in found.varying]


def _form(graph: Json) -> list[Any]:
    """What two graphs have in common if gradients flow through them alike."""
    members = {
        "nodes": ("role", "op", "next", "parameter"),
        "regions": ("kind", "begin", "end", "parent", "nested_outputs"),
        "outputs": ("edge", "in_loss"),
    }
    return [[item.get(name) for name in names] for key, names in members.items() for item in graph[key]]


def _operations(graph: Json) -> list[tuple[str, str]]:
    """Module and kind of each operation, in the order of creation."""
    return [(node.get("module", ""), node["op"]) for node in graph["nodes"] if "op" in node]


def _first_difference(a: list[tuple[str, str]], b: list[tuple[str, str]]) -> str:
    """Path of the module in which two lists of operations first differ; empty for the model itself. Where they differ, one of
    them may already be in the module behind it: the module that only one list has is the one in question."""
    k = next((k for k, (left, right) in enumerate(zip(a, b, strict=False)) if left != right), min(len(a), len(b)))
    here = [operations[k][0] for operations in (a, b) if k < len(operations)]
    only_once = {module for module, _ in a} ^ {module for module, _ in b}
    return next((module for module in here if module in only_once), (here or [""])[0])
