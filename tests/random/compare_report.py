"""What training does with a model beside what the report on its capture says: gradscan.record, the tool, and two real ranks."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from children import Child, Ranks
from measure import FLAGS
from source import source
from spec import Model, all_statements, kinds

SAID = {"error": "error", "silent": "silent", "unknown": "unknown", "note": "fine", "pass": "fine"}
LONG, SEEDS = 12, (0, 1, 2)  # of a model that varies by chance: iterations, and how often they run
COINS = ("random.random", "torch.rand", "dropout")
NO_ANSWER = "gradscan.record crashes or hangs"
UNKNOWN = "seen-otherwise"  # then nothing in the report counts


@dataclass(frozen=True)
class Difference:
    row: str  # "reentrant/static_graph", or "asked"
    said: str
    real: str
    details: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.row}: said {self.said}, really {self.real}\n{self.details}"


@dataclass
class Comparison:
    rows: int = 0
    equal: int = 0
    unknown: int = 0
    seen_otherwise: bool = False
    refused: bool = False
    hung: bool = False
    outcomes: list[tuple[str, str]] = field(default_factory=list)  # of each row: said, real
    differences: list[Difference] = field(default_factory=list)


@dataclass
class Question:
    """A model, the report on it, and its rows by name with what is to be measured for each."""

    model: Model
    report: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]


class Reporter:
    """Has captures written and the tool report on them."""

    def __init__(self, tool: str, folder: Path) -> None:
        self.tool, self.folder = tool, folder
        self.recorder = self.new_recorder()

    def new_recorder(self) -> Child:
        return Child(sys.executable, "-B", str(Path(__file__).with_name("record.py")))

    def report(self, model: Model, flags: str) -> dict[str, Any]:
        """Of the tool, as JSON; {"error": ...} if there is none."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            file = str(Path(folder) / "m.capture.json")
            if error := self.record(model, flags, file):
                return {"error": error}
            run = subprocess.run([self.tool, "--format", "json", *options(model), file], capture_output=True, text=True)
        return {"exit": run.returncode, **(json.loads(run.stdout) if run.stdout else {"error": run.stderr})}

    def record(self, model: Model, flags: str, file: str) -> str:
        """The error, if there is one."""
        cap = {name: value for name, value in model.ddp.items() if name == "bucket_cap_mb"}
        self.recorder.ask({"source": source(model), "file": file, "guess_loss": guesses_loss(model),
                           "arguments": {**FLAGS[flags], **cap}})
        if answer := self.recorder.answer(patience=15):
            return answer["error"]
        self.recorder.stop()
        self.recorder = self.new_recorder()
        return NO_ANSWER

    def stop(self) -> None:
        self.recorder.stop()


def guesses_loss(model: Model) -> bool:
    return model.form.startswith("loss")


def options(model: Model) -> list[str]:
    """What the file does not say."""
    step = model.step
    found = [f"--{name}={getattr(step, name)}" for name in ("forwards", "backwards") if getattr(step, name) > 1]
    found += [f"--no-sync={step.no_sync}"] * bool(step.no_sync) + ["--no-set-to-none"] * (not step.set_to_none)
    found += [f"--used-outside={name}" for name in step.used_outside] + [f"--zero-times={name}" for name in step.zero_times]
    if step.checkpoint_around != "off":
        found.append(f"--checkpoint-around={step.checkpoint_around.replace('_', '-')}")
    return found + ["--gradient-as-bucket-view"] * bool(model.ddp.get("gradient_as_bucket_view"))


class Comparer:
    """Compares models one by one."""

    def __init__(self, tool: str, folder: Path) -> None:
        self.reporter, self.ranks = Reporter(tool, folder), Ranks(folder, "measure_report.py")

    def announce(self, model: Model, flags: str) -> Question:
        """Has the model reported on, and the ranks begin to measure what the report says."""
        report = self.reporter.report(model, flags)
        if "error" in report:
            kinds_asked = [] if report["error"] == NO_ANSWER else kinds(model)  # it would be the same with them
            rows = {f"{kind}/default": [asked(model, kind, "default", 4, 0)] for kind in kinds_asked}
        else:
            rows = rows_to_measure(model, report)
        self.ranks.ask({"sources": {kind: source(model, kind) for kind in ("as_given", "reentrant", "non_reentrant", "off")},
                        "rows": [each for runs in rows.values() for each in runs]})
        return Question(model, report, rows)

    def compare(self, question: Question, flags: str) -> Comparison:
        """The question is the first of those announced that have not been compared."""
        answers = self.ranks.answers()
        if answers is None:
            return Comparison(hung=True)
        runs = iter([outcome(*pair) for pair in zip(answers[0]["rows"], answers[1]["rows"])])
        real = {name: [next(runs) for _ in asked] for name, asked in question.rows.items()}
        return comparison(question, real, flags)

    def compare_alone(self, model: Model, flags: str) -> Comparison:
        """No model must have been announced."""
        return self.compare(self.announce(model, flags), flags)

    def stop(self) -> None:
        self.ranks.stop()
        self.reporter.stop()


def rows_to_measure(model: Model, report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    rows = {}
    for verdict in report["verdicts"]:
        kind, flags = verdict["checkpointing"], name_of(verdict)
        runs = [(LONG, number) for number in SEEDS] if has_chance(model) else [(verdict.get("iterations", 4), 0)]
        rows[f"{kind}/{flags}"] = [asked(model, kind, flags, *run) for run in runs]
    return rows


def name_of(verdict: dict[str, Any]) -> str:
    return next((name for name in FLAGS if verdict.get(name)), "default")


def asked(model: Model, kind: str, flags: str, iterations: int, number: int) -> dict[str, Any]:
    return {"kind": kind, "ddp": {**FLAGS[flags], **model.ddp}, "iterations": iterations, "seed": number}


def has_chance(model: Model) -> bool:
    expressions = [each.expression for each in all_statements(model) if hasattr(each, "expression")]
    return any(coin in text for text in [model.turn, *expressions] for coin in COINS)


@dataclass
class Real:
    kind: str  # "error", "silent", "fine" or "unknown"
    details: str
    iteration: int | None = None
    message: str = ""


def outcome(own: dict[str, Any], other: dict[str, Any]) -> Real:
    details = json.dumps({"rank 0": own, "rank 1": other})
    if own["message"] or other["message"]:
        return Real("error", details, own["iteration"], own["message"])
    kind = "silent" if own["wrong"] else "unknown" if own["unknown"] else "fine"
    return Real(kind, details)


def comparison(question: Question, real: dict[str, list[Real]], flags: str) -> Comparison:
    report, result = question.report, Comparison()
    if "error" in report:
        result.refused = all(each.kind == "error" for runs in real.values() for each in runs)
        details = json.dumps({name: [each.message for each in runs] for name, runs in real.items()})
        if not result.refused:
            result.differences.append(Difference("all", "refused", "not", f"{report['error']}\n{details}"))
        return result
    result.seen_otherwise = any(finding["rule"] == UNKNOWN for finding in report["findings"])
    for verdict in report["verdicts"]:
        name = f"{verdict['checkpointing']}/{name_of(verdict)}"
        add_row(result, name, "unknown" if result.seen_otherwise else SAID[verdict["severity"]], verdict, real[name])
    add_asked(result, report, real, flags)
    return result


def add_row(result: Comparison, name: str, said: str, verdict: dict[str, Any], runs: list[Real]) -> None:
    found = [each.kind for each in runs]
    result.rows += 1
    worst = next(kind for kind in ("error", "silent", "unknown", "fine") if kind in found)
    result.outcomes.append((said, worst))
    result.unknown += said == "unknown"
    if is_right(said, found) or "unknown" in found and said in ("fine", "silent") and "error" not in found:
        result.equal += said != "unknown"
        return
    details = "\n".join(each.details for each in runs) + f"\nverdict: {json.dumps(verdict)}"
    result.differences.append(Difference(name, said, worst, details))


def is_right(said: str, found: list[str]) -> bool:
    """Of a model that varies by chance, what is said may happen in some of the runs only."""
    if said == "fine":
        return set(found) == {"fine"}
    if said == "silent" and len(found) > 1:
        return "silent" in found or "error" in found
    return said == "unknown" or said in found


def add_asked(result: Comparison, report: dict[str, Any], real: dict[str, list[Real]], flags: str) -> None:
    """The exit code, and the levels of the findings, of the setup that the file asks for."""
    levels = {finding["level"] for finding in report["findings"]}
    said = next((level for level in ("error", "silent", "unknown") if level in levels), "fine")
    if report["exit"] != (70 if result.seen_otherwise else int(said != "fine")):
        result.differences.append(Difference("asked", f"exit code {report['exit']}", f"findings {sorted(levels)}", ""))
    if said == "unknown" or result.seen_otherwise:
        return
    kinds_given = {region["kind"] for region in report["regions"]}
    kind = "as_given" if f"as_given/{flags}" in real else next(iter(kinds_given), "off")
    runs = real[f"{kind}/{flags}"]
    found = [each.kind for each in runs]
    if not is_right(said, found) and "unknown" not in found:
        details = json.dumps([finding["title"] if "title" in finding else finding["rule"] for finding in report["findings"]])
        result.differences.append(Difference("asked", said, "/".join(sorted(set(found))), details))


def default_tool() -> str:
    return os.environ.get("GRADSCAN", "gradscan")
