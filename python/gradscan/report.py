"""A report as an object, with the data that `gradscan --format json` writes and docs/report-format.md describes."""

from __future__ import annotations

import dataclasses
from typing import Any

from gradscan.errors import Error

_UNKNOWN = ("seen-otherwise", "graph-varies")  # rules for what gradscan has not seen


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter that DistributedDataParallel manages."""

    index: int  # its index in DDP's messages
    name: str
    aliases: tuple[str, ...]
    firings: dict[str, int]  # how often its gradient hook fires in one backward, by kind of checkpointing


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What DistributedDataParallel does in four iterations with one setup."""

    checkpointing: str
    find_unused_parameters: bool
    static_graph: bool
    severity: str  # "error", "silent", "unknown", "note", "pass": of the worst that is wrong, with DDP or without
    outcome: str  # "pass", "marked_ready_twice", "unfinished_reduction", "graph_changed", "other"
    iteration: int | None
    message: str
    parameters: tuple[str, ...]  # those that the message names
    unsynchronised: tuple[str, ...]  # parameters whose gradients differ between ranks
    untrained: tuple[str, ...]  # parameters that never get a gradient other than zero
    lost: tuple[str, ...]  # parameters that lose all or part of their gradient to checkpointing
    known: bool  # False if gradscan has not seen all that training does: then the rest may be otherwise

    @property
    def ok(self) -> bool:
        """Whether it is known that there is neither an error nor a silent failure."""
        return self.known and self.severity in ("note", "pass")


@dataclasses.dataclass(frozen=True)
class Report:
    """`json` is the report's data, `text` the report as the tool prints it."""

    json: dict[str, Any]
    text: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the given setup, except for what a baseline accepts."""
        return all(finding["level"] == "note" or finding["accepted"] for finding in self.json["findings"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Errors first, then silent failures, what is not known, and notes."""
        findings: list[dict[str, Any]] = self.json["findings"]
        return findings

    @property
    def fixes(self) -> list[str]:
        """The changes that would each fix everything."""
        return [fix["change"] for fix in self.json["fixes"]]

    @property
    def notes(self) -> list[str]:
        """The limits of what gradscan could see."""
        notes: list[str] = self.json["notes"]
        return notes

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in DistributedDataParallel's order."""
        return {p["name"]: Parameter(p["index"], p["name"], tuple(p["aliases"]), p["firings"]) for p in self.json["parameters"]}

    def verdict(
        self, checkpointing: str | None = None, *, find_unused_parameters: bool = False, static_graph: bool = False
    ) -> Verdict:
        """The verdict on the given setup, or on one of the table, where all regions are "reentrant", "non_reentrant" or "off".

        >>> report.verdict("reentrant", static_graph=True).outcome
        'pass'
        """
        if checkpointing is None and (find_unused_parameters or static_graph):
            raise Error(
                "flags alone do not select a verdict: pass its checkpointing as well, "
                '"reentrant", "non_reentrant" or "off", or pass the flags to check'
            )
        if checkpointing is None:
            return self._verdict(self.json["verdict"])
        wanted = (checkpointing, find_unused_parameters, static_graph)
        for verdict in self.json["verdicts"]:
            if (verdict["checkpointing"], verdict["find_unused_parameters"], verdict["static_graph"]) == wanted:
                return self._verdict(verdict)
        raise Error(
            f'there is no verdict for {wanted}: checkpointing is "reentrant", "non_reentrant" or "off", '
            "and at most one of the flags can be set"
        )

    def _verdict(self, verdict: dict[str, Any]) -> Verdict:
        names = {parameter["index"]: parameter["name"] for parameter in self.json["parameters"]}
        return Verdict(
            verdict["checkpointing"],
            verdict["find_unused_parameters"],
            verdict["static_graph"],
            verdict["severity"],
            verdict["outcome"],
            verdict["iteration"],
            verdict["message"],
            tuple(names[index] for index, _ in verdict["parameters"]),
            tuple(names[index] for index in verdict["unsynchronised"]),
            tuple(names[index] for index in verdict["untrained"]),
            self._lost(verdict),
            all(finding["rule"] not in _UNKNOWN for finding in self.findings),
        )

    def _lost(self, verdict: dict[str, Any]) -> tuple[str, ...]:
        kind = verdict["checkpointing"]
        in_setup = kind == self.json["setup"]["checkpointing"] or all(region["kind"] == kind for region in self.json["regions"])

        def is_lost(parameter: dict[str, Any]) -> bool:
            if parameter["index"] in verdict["untrained"]:
                return bool(parameter["in_loss"])
            return in_setup and parameter["lost_in"] is not None

        return tuple(parameter["name"] for parameter in self.json["parameters"] if is_lost(parameter))

    def __str__(self) -> str:
        return self.text
