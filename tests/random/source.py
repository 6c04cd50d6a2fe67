"""From a model to the Python that all run: DistributedDataParallel, the exporter, and who reads a difference."""
from __future__ import annotations

from spec import ROWS, WIDTH, Assign, Body, Layer, Model, Region, accesses, all_statements, pack

HEADER = """\
import itertools
import random
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
"""

RESULT = """

@dataclass
class Result:
    first: torch.Tensor
    others: list
"""

HIDDEN = """

class Hidden:
    def __init__(self, tensor):
        self.tensor = tensor
"""

OUTPUT = """

@dataclass
class Output:
    loss: torch.Tensor
    logits: torch.Tensor | None = None
    hidden: torch.Tensor | None = None
"""

# Checkpoints that are not torch's: that of any function, and the same with an argument that has backward always run it.
FUNCTIONS = """

class Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, function, dummy, *args):
        ctx.function, ctx.args = function, args
        with torch.no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx, *gradients):
        args = [a.detach().requires_grad_(a.requires_grad) if torch.is_tensor(a) else a for a in ctx.args]
        with torch.enable_grad():
            outputs = ctx.function(*args)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(o, g) for o, g in zip(outputs, gradients) if torch.is_tensor(o) and o.requires_grad]
        if not pairs:
            raise RuntimeError("none of the outputs requires grad")  # as torch's checkpoint and fairscale's do
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, *(a.grad if torch.is_tensor(a) else None for a in args)


def recompute(function, *args):
    return Recompute.apply(function, None, *args)


def always_recompute(function, *args):
    return Recompute.apply(function, torch.zeros((), requires_grad=True), *args)
"""

# Two ranks; for a model that stands alone in a file.
MAIN = """

def work(rank):
    torch.distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29400", rank=rank, world_size=2)
    torch.manual_seed(0)
    ddp = nn.parallel.DistributedDataParallel(Model().train(){arguments})
    calls = itertools.count()
    for iteration in range(4):
        train(ddp, rank, calls)
        norms = {{name: p.grad if p.grad is None else p.grad.norm().item() for name, p in ddp.module.named_parameters()}}
        print(f"iteration {{iteration}}, rank {{rank}}: {{norms}}\\n", end="", flush=True)


if __name__ == "__main__":
    torch.multiprocessing.spawn(work, nprocs=2)
"""


def source(model: Model, kind: str = "as_given") -> str:
    """Model, inputs, loss and train(), which runs one iteration."""
    return "".join([HEADER, RESULT * (model.form == "dataclass"), HIDDEN * (model.form == "hidden"),
                    OUTPUT * (model.form == "loss_in_dataclass"), FUNCTIONS * any(map(is_by_function, all_statements(model))),
                    class_text(model, kind), inputs_text(model), loss_text(model), train_text(model)])


def program(model: Model, kind: str, flags: dict[str, bool]) -> str:
    """The same, with a main program that trains it under DistributedDataParallel."""
    arguments = "".join(f", {name}={value}" for name, value in {**flags, **model.ddp}.items())
    return source(model, kind) + MAIN.format(arguments=arguments)


def class_text(model: Model, kind: str) -> str:
    lines = ["", "", "class Model(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += indented(layer_lines(model.layers), 2) + state_lines(model)
    if len(model.bodies) == 1:
        lines += ["", "    def forward(self, x, y):"] + indented(body_lines(model, model.bodies[0], kind), 2)
    else:
        names = [f"self.forward{at}" for at in range(len(model.bodies))]
        arguments = "x, y" if model.turn else "x, y, turn"
        lines += ["", f"    def forward(self, {arguments}):", f"        return ({', '.join(names)})[{model.turn or 'turn'}](x, y)"]
        for at, body in enumerate(model.bodies):
            lines += ["", f"    def forward{at}(self, x, y):"] + indented(body_lines(model, body, kind), 2)
    return "\n".join(lines) + "\n"


def state_lines(model: Model) -> list[str]:
    """What some expressions use: a number that grows, and whether forward has ended."""
    return ["        self.count, self.ended = 0, False", "", "    def next(self):", "        self.count += 1",
            "        return self.count"] if has_state(model) else []


def has_state(model: Model) -> bool:
    return "self." in model.turn or any("self." in each.expression for each in all_statements(model) if isinstance(each, Assign))


def is_by_function(statement: Assign | Region) -> bool:
    return isinstance(statement, Region) and bool(statement.function)


def layer_lines(layers: list[Layer]) -> list[str]:
    lines, made = [], set()
    for layer in layers:
        parts = layer.path.split(".")
        for depth in range(1, len(parts)):
            parent = ".".join(parts[:depth])
            if parent not in made:
                lines.append(f"self.{parent} = nn.Module()")
                made.add(parent)
        lines += [f"self.{layer.path}{rest}" for rest in one_layer(layer, layers)]
    return lines


def one_layer(layer: Layer, layers: list[Layer]) -> list[str]:
    if layer.same is not None:
        return [f" = self.{layers[layer.same].path}"]
    made = {"linear": f"nn.Linear({WIDTH}, {WIDTH}" + ("" if layer.bias else ", bias=False") + ")",
            "layer_norm": f"nn.LayerNorm({WIDTH})", "batch_norm": f"nn.BatchNorm1d({WIDTH})",
            "parameter": f"nn.Parameter(torch.randn({WIDTH}))"}[layer.kind]
    lines = [f" = {made}"]
    if layer.tied is not None:
        lines.append(f".weight = self.{layers[layer.tied].path}.weight")
    if layer.frozen or layer.frozen_weight:
        lines.append((".weight" if not layer.frozen else "") + ".requires_grad_(False)")
    return lines


def body_lines(model: Model, body: Body, kind: str) -> list[str]:
    lines = statement_lines(model, body.statements, kind)
    if has_state(model):
        lines = ["self.ended = False", *lines, "self.ended = True"]
    return lines + [f"return {pack(model.form, body.outs)}"]


def statement_lines(model: Model, statements: list[Assign | Region], kind: str) -> list[str]:
    lines = []
    for each in statements:
        if isinstance(each, Region):
            lines += region_lines(model, each, kind)
        else:
            layer = None if each.layer is None else f"self.{model.layers[each.layer].path}"
            lines.append(f"{each.out} = {each.expression.format(*each.reads, layer=layer)}")
    return lines


def region_lines(model: Model, region: Region, kind: str) -> list[str]:
    lines = [f"def {region.name}({', '.join(region.parameters)}):"]
    lines += indented(statement_lines(model, region.body, kind) + [f"return {pack(region.form, region.results)}"], 1)
    arguments = ", ".join(each if isinstance(each, str) else f"[{', '.join(each)}]" for each in region.arguments)
    call = call_text(region, arguments, kind)
    if region.form == "tensor":
        return lines + [f"{region.outs[0]} = {call}"]
    result = f"result_{region.name}"
    return lines + [f"{result} = {call}"] + [f"{out} = {result}{access}" for out, access in
                                            zip(region.outs, accesses(region.form, len(region.outs)))]


def call_text(region: Region, arguments: str, kind: str) -> str:
    reentrant = region.reentrant if kind == "as_given" else kind == "reentrant"
    if kind == "off":
        return f"{region.name}({arguments})"
    given = f"{region.name}, {arguments}" if arguments else region.name
    if region.function and reentrant:
        return f"{region.function}({given})"
    options = "" if region.preserve_rng_state else ", preserve_rng_state=False"
    return f"checkpoint({given}, use_reentrant={reentrant}{options})"


def inputs_text(model: Model) -> str:
    grad = ", requires_grad=True" if model.x_requires_grad else ""
    turn = f", call % {len(model.bodies)}" if len(model.bodies) > 1 and not model.turn else ""
    return f"""

def inputs(rank, call):
    generator = torch.Generator().manual_seed(2 * call + rank)
    x = torch.randn({ROWS}, {WIDTH}, generator=generator{grad})
    y = torch.randn({ROWS}, {WIDTH}, generator=generator)
    return x, y{turn}
"""


def loss_text(model: Model) -> str:
    """Different on the two ranks, whatever it is computed from."""
    access = accesses(model.form, len(model.bodies[0].outs))
    terms = [f"(output{access[at]} - 0.7 - rank).square().mean()" + f" * {place}" * (place > 1)
             for place, at in enumerate(model.loss, 1)]
    return f"\n\ndef loss(output, rank):\n    return {' + '.join(terms)}\n"


def train_text(model: Model) -> str:
    step = model.step
    call = "*inputs(rank, next(calls))"
    forward = (f"model({call})" if step.checkpoint_around == "off" else
               f"checkpoint(model, {call}, use_reentrant={step.checkpoint_around == 'reentrant'})")
    total = f"loss({forward}, rank)"
    lines = []
    if step.forwards > 1:
        lines.append(f"outputs = [{forward} for _ in range({step.forwards})]")
        total = "sum(loss(output, rank) for output in outputs)"
    lines.append(f"total = {total}")
    for factor, names in (("(1 + rank)", step.used_outside), ("0.0", step.zero_times)):
        if names:
            lines.append(f"total = total + {factor} * sum(parameters[name].sum() for name in {names})")
    lines += ["total.backward(retain_graph=True)"] * (step.backwards - 1) + ["total.backward()"]
    lines = indented(lines, 1)
    if step.no_sync:
        lines = ([f"    for left in range({step.no_sync}, -1, -1):",
                  '        with model.no_sync() if left and hasattr(model, "no_sync") else nullcontext():']
                 + indented(lines, 2))
    if step.used_outside or step.zero_times:
        lines.insert(0, '    parameters = dict(getattr(model, "module", model).named_parameters())')
    head = ["", "", "def train(model, rank, calls):", f"    model.zero_grad(set_to_none={step.set_to_none})"]
    return "\n".join(head + lines) + "\n"


def indented(lines: list[str], levels: int) -> list[str]:
    return ["    " * levels + line for line in lines]
