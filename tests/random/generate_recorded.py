"""Random models with what only a run of them shows, for gradscan.record: a seed determines the model and its family."""
from __future__ import annotations

import random
from collections.abc import Callable

from generate import Generator
from spec import Assign, Model, Region, all_statements, blocks

FORMS_OF_LOSSES = ["loss_in_dict", "loss_in_dict", "losses_in_dict", "loss_in_dataclass"]
FORMS_OF_FUNCTIONS = ["tensor", "tuple"]
COINS = ["random.random() < {p}", "torch.rand(()).item() < {p}"]
# What a function does in one of its two runs only: it saves more or fewer tensors, other shapes, or other numbers.
DEVIATIONS = ["torch.tanh({0})", "torch.tanh(torch.sin({0}))", "torch.tanh({0}[:2]).repeat(3, 1)[:5]", "{0} * 2",
              "torch.tanh({0}.float()).double()", "torch.sin({0})", "F.linear({0}, {layer}.weight)"]
# Which run it is. The first four tell forward from backward; a count of calls also tells iterations apart.
IS_SECOND = ["self.ended", "self.ended", "not self.ended", "not self.ended", "self.next() % 2", "self.next() % 3 == 0"]


def random_model(seed: str, families: list[str] | None = None) -> tuple[str, Model]:
    """The family, one of these or of all, and the model."""
    generator = Recorded(random.Random(seed))
    family = generator.random.choice(families or list(FAMILIES))
    return family, FAMILIES[family](generator)


class Recorded(Generator):
    def plain(self) -> Model:
        while True:
            model = self.model()
            if len(model.bodies) == 1 and self.can_be_recorded(model):
                return model

    def can_be_recorded(self, model: Model) -> bool:
        """Not with an output that DDP does not find, of which the file says nothing."""
        return model.form != "hidden"

    def stateful(self, model: Model) -> Model:
        """The second run of the whole model would change its state once more."""
        model.step.checkpoint_around = "off"
        return model

    def functions(self) -> Model:
        """Some regions, at any depth, are custom Functions."""
        model = self.with_regions()
        found = regions(model)
        for region in found:
            if region.form in FORMS_OF_FUNCTIONS and (region is found[0] or self.chance(0.5)):
                region.function, region.reentrant = self.random.choice(["recompute", "recompute", "always_recompute"]), True
        return model

    def with_regions(self) -> Model:
        while True:
            model = self.plain()
            if any(region.form in FORMS_OF_FUNCTIONS for region in regions(model)):
                return model

    def losses(self) -> Model:
        """Forward computes the loss and returns it among other outputs, in a form by which it can be guessed."""
        model = self.plain()
        body, model.form = model.bodies[0], self.random.choice(FORMS_OF_LOSSES)
        while len(body.outs) < 3 and self.chance(0.8):
            body.statements.append(self.assign(body.outs, []))  # a head
            body.outs = body.outs + [body.statements[-1].out]
        if model.form == "losses_in_dict" and len(body.outs) < 2:
            model.form = "loss_in_dict"
        model.loss = [0, 1] if model.form == "losses_in_dict" else [0]
        for at in model.loss:
            body.statements.append(Assign(self.name(), "{0}.square().mean()", [body.outs[at]]))
            body.outs = body.outs[:at] + [body.statements[-1].out] + body.outs[at + 1:]
        return model

    def turns(self) -> Model:
        """Bodies or layers that take turns, or change once."""
        model = self.stateful(self.plain())
        if self.chance(0.5):
            return self.skipping(model, lambda: f"self.next() % {self.random.choice([2, 2, 3])}")
        count = self.random.choice([2, 2, 3])
        alternating, schedule = f"self.next() % {count}", f"int(self.next() > {self.random.choice([1, 2, 3, 6])})"
        self.add_bodies(model, count)
        model.turn = alternating if count > 2 or self.chance(0.6) else schedule
        return model

    def chance_alone(self) -> Model:
        """Bodies or layers by chance."""
        model = self.stateful(self.plain())
        if self.chance(0.6):
            return self.skipping(model, self.coin)
        self.add_bodies(model, 2)
        model.turn = f"int({self.coin()})"
        return model

    def coin(self) -> str:
        return self.random.choice(COINS).format(p=self.random.choice([0.2, 0.5, 0.8]))

    def add_bodies(self, model: Model, count: int) -> None:
        while len(model.bodies) < count:
            self.change_graph(model)

    def skipping(self, model: Model, condition: Callable[[], str]) -> Model:
        """One or two of the statements with a layer run under a condition only."""
        with_layer = [(block, at) for block in blocks(model.bodies[0].statements) for at, each in enumerate(block)
                      if isinstance(each, Assign) and each.layer is not None and each.reads]
        for block, at in self.random.sample(with_layer, min(len(with_layer), self.random.choice([1, 1, 2]))):
            each = block[at]
            block[at] = Assign(each.out, f"({each.expression} if {condition()} else {{0}} * 1)", each.reads, each.layer)
        return model

    def recomputations(self) -> Model:
        """The second run of some regions differs from the first."""
        model = self.stateful(self.with_regions())
        model.step.no_sync = 0  # the state that other iterations leave behind would be another without checkpointing
        found = regions(model)
        for region in self.random.sample(found, min(len(found), self.random.choice([1, 1, 2]))):
            region.preserve_rng_state = self.chance(0.5)
            region.body.append(self.deviation(region))
            region.results[0] = region.body[-1].out
        return model

    def deviation(self, region: Region) -> Assign:
        other = self.random.choice(DEVIATIONS)
        if self.chance(0.15):
            return Assign(self.name(), "F.dropout({0}, 0.5)", region.results[:1])
        which = self.coin() if self.chance(0.25) else self.random.choice(IS_SECOND)
        layers = self.linear_layers()
        if "{layer}" in other and not layers:
            other = DEVIATIONS[0]
        layer = self.random.choice(layers) if "{layer}" in other else None
        return Assign(self.name(), f"({other} if {which} else {{0}} * 1)", region.results[:1], layer)


def regions(model: Model) -> list[Region]:
    return [each for each in all_statements(model) if isinstance(each, Region)]


FAMILIES: dict[str, Callable[[Recorded], Model]] = {
    "plain": Recorded.plain, "functions": Recorded.functions, "losses": Recorded.losses, "turns": Recorded.turns,
    "chance": Recorded.chance_alone, "recomputations": Recorded.recomputations}
