"""Random models: a seed determines the model."""
from __future__ import annotations

import random

from spec import Assign, Body, Layer, Model, Region, forms

# What is done with one or two variables.
OPERATIONS = ["torch.tanh({0})", "F.leaky_relu({0}, 0.2)", "{0} + {1}", "{0} + {1}", "{0} * {1}", "({0} * 2).add_({1})",
              "torch.cat({0}.chunk(2, 1)[::-1], 1)"]
# What is done with a variable and a layer. A norm alone would take away what an earlier norm or bias has added, and the gradient
# of that would be zero, or nearly so, by arithmetic and not by the graph.
WITH_LAYER = {"linear": "{layer}({0})", "layer_norm": "{0} + {layer}({0})", "batch_norm": "{0} + {layer}({0})",
              "parameter": "{0} * {layer}"}
# What else is done with a variable and a linear layer.
WITH_LINEAR = ["F.leaky_relu({layer}({0}), 0.3, inplace=True)", "F.linear({0}, {layer}.weight)",
               "F.leaky_relu({layer}({0}).view(-1, 6), 0.3, inplace=True)"]
CUTS = ["{0}.detach()", "{0}.detach().requires_grad_()"]


def random_model(seed: str) -> Model:
    return Generator(random.Random(seed)).model()


class Generator:
    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.names = 0
        self.layers: list[Layer] = []
        self.unused: list[int] = []  # layers that no statement uses yet
        self.wild = source.choice([0.05, 0.3, 1.0])  # how much of what is seldom seen in real models
        self.mixed = self.chance(0.4)
        self.each_layer_once = 0.9 if self.chance(0.7) else 0.0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def name(self, prefix: str = "v") -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def model(self) -> Model:
        large = self.chance(0.05)
        count = self.random.randint(20, 30) if large else self.random.randint(2, 7)
        self.make_layers(count)
        bodies = [self.forward(self.random.randint(10, 16) if large else self.random.randint(2, 7))]
        outs = len(bodies[0].outs)
        form = "tensor" if outs == 1 and self.chance(0.7) else self.random.choice(forms(outs, of_model=True))
        loss = [at for at in range(outs) if at == 0 or self.chance(0.55)]
        model = Model(self.layers, bodies, form, [outs - 1] if self.chance(0.1) else loss, self.chance(0.65))
        if self.chance(0.15):
            model.ddp["bucket_cap_mb"] = 0.0001  # a bucket for nearly each parameter
        if self.chance(0.4):
            for unusual in self.random.sample(UNUSUAL, self.random.choice([1, 1, 2])):
                unusual(self, model)
        return model

    def make_layers(self, count: int) -> None:
        for at in range(count):
            self.layers.append(self.layer(at))
        if not any(self.trains(layer) for layer in self.layers):
            self.layers[0].frozen = self.layers[0].frozen_weight = False
        self.unused = list(range(count))

    def trains(self, layer: Layer) -> bool:
        return not (layer.frozen or layer.frozen_weight or layer.tied is not None or layer.same is not None)

    def layer(self, at: int) -> Layer:
        kind = self.random.choice(["linear"] * 6 + ["layer_norm", "batch_norm", "parameter"])
        layer = Layer(self.random.choice(["", "", "a.", "b.", "a.c."]) + f"l{at}", kind)
        earlier = self.linear_layers()
        if kind == "linear":
            layer.bias = not self.chance(0.2)
            if earlier and self.chance(0.15):
                layer.tied = self.random.choice(earlier)
            elif earlier and self.chance(0.05):
                layer.same = self.random.choice(earlier)
            elif self.chance(0.05):
                layer.frozen_weight = True
        if layer.tied is None and layer.same is None:
            layer.frozen = self.chance(0.1)
        return layer

    def linear_layers(self) -> list[int]:
        return [at for at, layer in enumerate(self.layers) if layer.kind == "linear" and layer.same is None]

    def pick_layer(self) -> int:
        if self.unused and self.chance(self.each_layer_once):
            return self.unused.pop(0)
        return self.random.randrange(len(self.layers))

    def forward(self, length: int, outs: int | None = None) -> Body:
        statements, variables = self.body(["x", "y"], [], 0, length)
        own = variables[2:]
        count = outs or self.random.choice([1, 1, 1, 2, 2, 3])
        results = [own[-1]] + [self.random.choice(own) for _ in range(count - 1)]
        if count > 1 and self.chance(0.15 * self.wild):  # a parameter is itself an output
            statements.append(self.parameter_itself())
            results[-1] = statements[-1].out
        return Body(statements, results)

    def parameter_itself(self) -> Assign:
        at = self.random.randrange(len(self.layers))
        return Assign(self.name("w"), "{layer}" if self.layers[at].kind == "parameter" else "{layer}.weight", [], at)

    def body(self, own: list[str], outer: list[str], depth: int, length: int) -> tuple[list[Assign | Region], list[str]]:
        """Statements, and the variables that they know. `outer`: those around a region, to close over."""
        statements, variables = [], own or [self.random.choice(outer)]
        for _ in range(length):
            if depth < 3 and self.chance(0.36):
                before, region = self.region(variables, outer, depth)
                statements += before + [region]
                variables = variables + region.outs
            else:
                statements.append(self.assign(variables, outer))
                variables = variables + [statements[-1].out]
        return statements, variables

    def pick(self, variables: list[str], outer: list[str]) -> str:
        """Mostly the last one: models are chains."""
        if outer and self.chance(0.06 * self.wild):
            return self.random.choice(outer)
        if self.chance(0.95 - 0.3 * self.wild):
            return variables[-1] if variables[-1] != "y" else "x"
        return self.random.choice(variables)

    def assign(self, variables: list[str], outer: list[str]) -> Assign:
        reads = [self.pick(variables, outer), self.pick(variables, outer)]
        if self.chance(0.06 * self.wild):
            return Assign(self.name(), self.random.choice(CUTS), reads[:1])
        if self.chance(0.35):
            operation = self.random.choice(OPERATIONS)
            return Assign(self.name(), operation, reads[:2 if "{1}" in operation else 1])
        layer = self.pick_layer()
        expression = WITH_LAYER[self.layers[layer].kind]
        if self.layers[layer].kind == "linear" and self.chance(0.2):
            expression = self.random.choice(WITH_LINEAR)
        return Assign(self.name(), expression, reads[:1], layer)

    def region(self, variables: list[str], outer: list[str], depth: int) -> tuple[list[Assign], Region]:
        count = self.random.choice([0, 1, 1, 1, 1, 2, 2]) if self.chance(self.wild) else 1
        arguments: list[str | list[str]] = [variables[-1] if self.chance(0.8) else self.random.choice(variables)
                                            for _ in range(count)]
        parameters = [self.name("a") for _ in arguments]
        own = list(parameters)
        if self.chance(0.06 * self.wild):
            arguments.append([self.random.choice(variables) for _ in range(self.random.choice([1, 2]))])
            parameters.append(self.name("a"))
            own += [f"{parameters[-1]}[{at}]" for at in range(len(arguments[-1]))]
        body, inner = self.body(own, variables + outer, depth + 1, self.random.randint(1, 4))
        before = []
        if self.linear_layers() and self.chance(0.1 * self.wild):  # a weight as an argument
            before.append(Assign(self.name("w"), "{layer}.weight", [], self.random.choice(self.linear_layers())))
            arguments.append(before[0].out)
            parameters.append(self.name("a"))
            body.append(Assign(self.name(), "F.linear({0}, {1})", [inner[-1], parameters[-1]]))
            inner = inner + [body[-1].out]
        results, form = self.results(body, inner)
        reentrant = not self.mixed or self.chance(0.6)
        name, outs = self.name("r"), [self.name() for _ in results]
        return before, Region(name, reentrant, arguments, parameters, body, results, form, outs)

    def results(self, body: list[Assign | Region], inner: list[str]) -> tuple[list[str], str]:
        """No parameter itself: torch would make it the region's output for good, whose backward never ends."""
        made = [out for each in body for out in ([each.out] if isinstance(each, Assign) else each.outs) if out[0] != "w"]
        results = [made[-1]]
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            results.append(self.random.choice(inner if self.chance(0.3 * self.wild) else made))
        if not self.chance(self.wild):
            results = list(dict.fromkeys(results))  # no tensor twice
        plain = "tensor" if len(results) == 1 else "tuple"
        return results, self.random.choice(forms(len(results), of_model=False)) if self.chance(0.4 * self.wild) else plain

    def some_parameters(self, model: Model) -> list[str]:
        names = [layer.path + ("" if layer.kind == "parameter" else ".weight") for layer in model.layers
                 if layer.same is None and layer.tied is None]
        return self.random.sample(names, min(len(names), self.random.choice([1, 1, 2])))

    def change_graph(self, model: Model) -> None:
        self.unused = list(range(len(self.layers)))
        model.bodies.append(self.forward(self.random.randint(2, 6), len(model.bodies[0].outs)))

    def run_forward_twice(self, model: Model) -> None:
        model.step.forwards = 2

    def run_backward_twice(self, model: Model) -> None:
        model.step.backwards = 2

    def accumulate(self, model: Model) -> None:
        model.step.no_sync = self.random.choice([1, 1, 2])

    def use_outside(self, model: Model) -> None:
        model.step.used_outside = self.some_parameters(model)

    def multiply_by_zero(self, model: Model) -> None:
        model.step.zero_times = self.some_parameters(model)

    def checkpoint_around(self, model: Model) -> None:
        model.step.checkpoint_around = self.random.choice(["reentrant", "non_reentrant"])

    def keep_gradients(self, model: Model) -> None:
        model.step.set_to_none = False

    def view_buckets(self, model: Model) -> None:
        model.ddp["gradient_as_bucket_view"] = True


UNUSUAL = [Generator.change_graph, Generator.run_forward_twice, Generator.run_backward_twice, Generator.accumulate,
           Generator.use_outside, Generator.multiply_by_zero, Generator.checkpoint_around, Generator.keep_gradients,
           Generator.view_buckets]
