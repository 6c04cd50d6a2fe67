"""What the real DistributedDataParallel did with a model beside what gradscan says of it."""
from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from children import Child, Ranks
from export import export
from measure import FLAGS
from source import source
from spec import Model, Step, kinds

OUTCOMES = {"mark a variable ready only once": "marked_ready_twice",
            "Expected to have finished reduction": "unfinished_reduction",
            "training graph has changed": "graph_changed"}


@dataclass(frozen=True)
class Difference:
    row: str  # "reentrant/static_graph"; "reentrant": without DDP
    what: str  # "outcome"
    real: Any = field(compare=False)
    gradscan: Any = field(compare=False)

    def is_among(self, others: list[Difference]) -> bool:
        return any(self == other and self.real == other.real for other in others)

    def __str__(self) -> str:
        return f"{self.row}, {self.what}:\n  real:     {self.real}\n  gradscan: {self.gradscan}"


@dataclass
class Comparison:
    rows: int = 0
    outcomes: Counter = field(default_factory=Counter)  # of the real rows
    differences: list[Difference] = field(default_factory=list)
    refused: bool = False  # rightly: nothing is trained
    refusal: bool = False  # whether gradscan says that it is no model to scan
    hung: bool = False  # the ranks wait for each other
    changing: list[str] = field(default_factory=list)  # rows that are not the same each time they are measured


class Comparer:
    """Compares models one by one; measures those ahead that it was told of."""

    def __init__(self, verdicts: str, folder: Path) -> None:
        self.verdicts = verdicts
        self.ranks, self.gradscan = Ranks(folder), Child(verdicts)
        self.folder = folder

    def announce(self, model: Model, only: list[str] | None = None) -> None:
        """Starts to measure it; `only` with these kinds of checkpointing."""
        self.ranks.ask({"sources": {kind: source(model, kind) for kind in only or kinds(model)}, "ddp": model.ddp})

    def compare(self, model: Model, only: list[str] | None = None) -> Comparison:
        """The model is the first of those announced that have not been compared."""
        try:
            said = self.ask_gradscan(model, only or kinds(model))
        finally:  # the ranks' answer belongs to this model alone, also if it cannot be exported
            real = self.ranks.answers()
        if real is None:
            return Comparison(hung=True)
        return comparison(rows_of(real), real[0]["alone"], said)

    def compare_alone(self, model: Model, only: list[str] | None = None) -> Comparison:
        """No model must have been announced."""
        self.announce(model, only)
        return self.compare(model, only)

    def compare_thoroughly(self, model: Model) -> Comparison:
        """Three times: what DDP does not answer the same each time is no difference. No model must have been announced."""
        result, *others = [self.compare_alone(model) for _ in range(3)]
        if result.refusal and result.differences:  # it captures each body by itself
            bodies = [replace(model, bodies=[body], step=Step()) for body in model.bodies]
            if any(self.compare_alone(body).refused for body in bodies):
                return Comparison(refused=True)
        stable = [each for each in result.differences if all(each.is_among(other.differences) for other in others)]
        result.changing = [str(each) for each in result.differences if each not in stable]
        result.differences = stable
        return result

    def ask_gradscan(self, model: Model, of_kinds: list[str]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            setups = {f"{kind}/{name}": {"checkpointing": kind, **flags, **model.ddp} for kind in of_kinds
                      for name, flags in FLAGS.items()}
            self.gradscan.ask({"files": export(model, Path(folder)), "step": asdict(model.step),
                               "in_loss": [at in model.loss for at in range(len(model.bodies[0].outs))],
                               "names": list(setups), "setups": list(setups.values())})
            answer = self.gradscan.answer()
        if answer is None:
            self.gradscan.stop()
            self.gradscan = Child(self.verdicts)
            answer = {"exit": None, "error": "gradscan has crashed or hangs"}
        return answer

    def stop(self) -> None:
        self.ranks.stop()
        self.gradscan.stop()


def rows_of(ranks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """From what both ranks saw, verdicts as gradscan has them."""
    return {name: verdict(ranks[0]["rows"][name], ranks[1]["rows"][name]) for name in ranks[0]["rows"]}


def verdict(own: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    message = own["message"]
    outcome = next((name for text, name in OUTCOMES.items() if text in message), "other" if message else "pass")
    if own["iteration"] != other["iteration"]:
        outcome = "the ranks differ"
    pairs = list(zip(own["gradients"], other["gradients"])) if not message else []
    indices = range(len(own["gradients"][0])) if pairs else []
    return {"outcome": outcome, "iteration": own["iteration"], "message": message, "parameters": indices_in(message),
            "unsynchronised": [at for at in indices if any(left[at] != right[at] for left, right in pairs)],
            "untrained": [at for at in indices if not any(left[at] for left, _ in pairs)],
            "firings": own["firings"]}


def indices_in(message: str) -> list[int]:
    one = re.search(r"Parameter at index (\d+)", message)
    many = re.search(r"indices which did not receive grad[^:]*:((?: \d+)+)", message)
    return [int(one.group(1))] if one else [int(index) for index in many.group(1).split()] if many else []


def comparison(rows: dict[str, Any], alone: dict[str, Any], said: dict[str, Any]) -> Comparison:
    result = Comparison()
    if "error" in said:
        trained = any(any(each["firings"]) for each in alone.values())
        result.refusal = said["exit"] in (2, 3)
        result.refused = result.refusal and not trained
        if not result.refused:
            result.differences.append(Difference("all", "refusal", json.dumps(alone), said["error"]))
        return result
    for name, row in {**alone, **rows}.items():
        answer = (said["rows"] if name in rows else said["alone"])[name]
        result.differences += [Difference(name, what, row[what], answer[what]) for what in row if row[what] != answer[what]]
    result.rows = len(rows)
    result.outcomes.update(row["outcome"] for row in rows.values())
    for silent in ("unsynchronised", "untrained"):
        result.outcomes[silent] += sum(bool(row[silent]) for row in rows.values())
    return result
