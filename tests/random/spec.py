"""What a random model is: plain data, from which source.py makes Python and shrink.py makes smaller models.

A body is a list of statements in single-assignment form: a variable is assigned once, so that what a checkpointed function
closes over is what its name means everywhere. Nearly all variables hold a matrix of ROWS x WIDTH.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator

ROWS, WIDTH = 5, 6


@dataclass
class Layer:
    path: str  # where the model registers it: "a.l3"
    kind: str  # "linear", "layer_norm", "batch_norm" or "parameter", which is a raw one
    bias: bool = True
    tied: int | None = None  # linear: has that layer's weight
    same: int | None = None  # is that very module, registered once more
    frozen: bool = False
    frozen_weight: bool = False


@dataclass
class Assign:
    """`out = expression`, in which {0}, {1} are the variables read and {layer} is the layer."""

    out: str
    expression: str
    reads: list[str]
    layer: int | None = None


@dataclass
class Region:
    """A function with a body, called through checkpoint. An argument that is a list of variables is passed as a list."""

    name: str
    reentrant: bool
    arguments: list[str | list[str]]
    parameters: list[str]  # the function's names for them
    body: list[Assign | Region]
    results: list[str]  # variables of the body, packed in a form
    form: str
    outs: list[str]  # the caller's names for them
    function: str = ""  # the autograd Function that checkpoints it, if it is not torch that does
    preserve_rng_state: bool = True


@dataclass
class Body:
    """One run of forward over the layers: reads x and y, returns these variables."""

    statements: list[Assign | Region]
    outs: list[str]


@dataclass
class Step:
    """TrainingStep of include/gradscan/setup.h."""

    forwards: int = 1
    backwards: int = 1
    no_sync: int = 0
    used_outside: list[str] = field(default_factory=list)
    zero_times: list[str] = field(default_factory=list)
    checkpoint_around: str = "off"
    set_to_none: bool = True


@dataclass
class Model:
    layers: list[Layer]
    bodies: list[Body]  # forward calls run them in turn, or as `turn` says; all return the same form
    form: str
    loss: list[int]  # positions of the outputs that the loss is computed from
    x_requires_grad: bool = True
    step: Step = field(default_factory=Step)
    ddp: dict[str, float | bool] = field(default_factory=dict)  # further arguments of DistributedDataParallel
    turn: str = ""  # Python that forward itself chooses the body by


def blocks(statements: list[Assign | Region]) -> Iterator[list[Assign | Region]]:
    """The list of statements and those of all regions in it."""
    yield statements
    for statement in statements:
        if isinstance(statement, Region):
            yield from blocks(statement.body)


def all_statements(model: Model) -> Iterator[Assign | Region]:
    for body in model.bodies:
        for block in blocks(body.statements):
            yield from block


def kinds(model: Model) -> list[str]:
    """The kinds of checkpointing that are worth measuring: as_given only where regions of both kinds are mixed."""
    mixed = len({each.reentrant for each in all_statements(model) if isinstance(each, Region)}) > 1
    return ["reentrant", "non_reentrant", "off"] + ["as_given"] * mixed


# Forms: how several tensors are returned. "dataclass" and "hidden" are for outputs of the model only: in a dataclass
# DistributedDataParallel finds tensors, in an object of a class that it does not know it finds none.
# Those with a loss are for models that compute it themselves.

FIELDS = ["loss", "logits", "hidden"]
LOSSES = ["loss_class", "loss_mask", "scores"]


def pack(form: str, names: list[str]) -> str:
    """Python for the tensors of these names in that form."""
    first, rest, last = names[0], names[1:], names[-1]
    return {"tensor": first,
            "tuple": f"({', '.join(names)},)",
            "list": f"[{', '.join(names)}]",
            "dict": "{" + ", ".join(f"'k{at}': {name}" for at, name in enumerate(names)) + "}",
            "with_none": f"({', '.join(names)}, None)",
            "list_in_tuple": f"({first}, [{', '.join(rest)}])",
            "dict_in_tuple": f"({first}, {{'k': {last}}})",
            "dataclass": f"Result({first}, [{', '.join(rest)}])",
            "loss_in_dict": "{" + ", ".join(f"'{name}': {each}" for name, each in zip(FIELDS, names)) + "}",
            "losses_in_dict": "{" + ", ".join(f"'{name}': {each}" for name, each in zip(LOSSES, names)) + "}",
            "loss_in_dataclass": f"Output({', '.join(names)})",
            "hidden": f"({', '.join(names[:-1] + [f'Hidden({last})'])},)"}[form]


def accesses(form: str, count: int) -> list[str]:
    """What to write behind a value of that form for each of its tensors."""
    return {"tensor": [""],
            "dict": [f"['k{at}']" for at in range(count)],
            "list_in_tuple": ["[0]"] + [f"[1][{at}]" for at in range(count - 1)],
            "dict_in_tuple": ["[0]", "[1]['k']"],
            "loss_in_dict": [f"['{name}']" for name in FIELDS[:count]],
            "losses_in_dict": [f"['{name}']" for name in LOSSES[:count]],
            "loss_in_dataclass": [f".{name}" for name in FIELDS[:count]],
            "dataclass": [".first"] + [f".others[{at}]" for at in range(count - 1)],
            "hidden": [f"[{at}]" for at in range(count - 1)] + [f"[{count - 1}].tensor"],
            }.get(form, [f"[{at}]" for at in range(count)])


def forms(count: int, *, of_model: bool) -> list[str]:
    """The forms that so many tensors can have."""
    return ((["tensor"] if count == 1 else ["list_in_tuple"]) + ["tuple", "list", "dict", "with_none"]
            + ["dict_in_tuple"] * (count == 2) + ["dataclass", "hidden"] * of_model)
