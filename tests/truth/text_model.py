"""The models that tests/support/capture_text.h reads as captures, as real torch modules: both come from the same lines.

    cases = read_cases("tests/truth/bucket_cases.txt")          # {name: lines}, one for each "case NAME"
    model = TextModel(cases["mixed_sizes"], checkpoint)         # checkpoint(function, *arguments)
    loss(model(model.new_input())).backward()

Beside the statements of that header there are lines `size NAME N...` and `dtype DTYPE NAME...` for parameters and inputs; a
weight and an input that have none are 20 x 20 and 8 x 20 of float32. A region calls `checkpoint`, whatever kind the text says.
"""
import torch
from torch import nn
from torch.nn.functional import linear

OPERATIONS = {"add": torch.add, "mul": torch.mul, "sum": torch.sum,
              "relu": torch.relu, "double": torch.Tensor.double, "float": torch.Tensor.float, "half": torch.Tensor.half,
              "bfloat16": torch.Tensor.bfloat16, "detach": torch.Tensor.detach, "exp": torch.exp, "split": lambda x: x.chunk(2),
              "view": lambda x: x.view(x.shape)}


class Hidden:
    """A result in which DDP finds no tensor."""

    def __init__(self, tensor):
        self.tensor = tensor


class Region:
    def __init__(self, arguments):
        self.arguments, self.statements, self.results = arguments, [], []


def read_cases(path):
    cases = {}
    with open(path) as file:
        for line in file:
            words = line.split("#")[0].split()
            if words[:1] == ["case"]:
                lines = cases[words[1]] = []
            elif words:
                lines.append(words)
    return cases


def in_regions(lines):
    """The statements that are run; those of a region in a list of its own."""
    open_regions = [Region([])]
    for words in lines:
        if words[0] == "region":
            open_regions.append(Region(words[3:]))
        elif words[0] == "end":
            region = open_regions.pop()
            region.results = words[1:]
            open_regions[-1].statements.append(region)
        elif words[0] not in ("parameter", "frozen", "input", "output", "size", "dtype"):
            open_regions[-1].statements.append(words)
    return open_regions[0].statements


def tensors_of(result):
    results = result if isinstance(result, tuple) else (result,)
    return [one["nested"] if isinstance(one, dict) else one for one in results]


class TextModel(nn.Module):
    def __init__(self, lines, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint
        self.statements = in_regions(lines)
        self.sizes = {words[1]: [int(size) for size in words[2:]] for words in lines if words[0] == "size"}
        self.dtypes = {name: getattr(torch, words[1]) for words in lines if words[0] == "dtype" for name in words[2:]}
        self.inputs = [name for words in lines if words[0] == "input" for name in words[1:]]
        self.outputs = [words[1:] for words in lines if words[0] == "output"]
        self.names = {}
        for words in lines:
            if words[0] in ("parameter", "frozen"):
                for name in words[1:]:
                    self.add(name, nn.Parameter(self.new_tensor(name), requires_grad=words[0] == "parameter"))
            elif words[0] == "alias" and words[1] in self.names:
                self.add(words[2], self.names[words[1]])
        stated = [name for words in lines if words[0] in ("parameter", "frozen") for name in words[1:]]
        assert [name for name, _ in self.named_parameters()] == stated, "not in the order of named_parameters()"

    def new_tensor(self, name):
        size = [20, 20] if name.endswith("weight") else [8, 20] if name in self.inputs else [20]
        size = self.sizes.get(name, size)
        return (torch.rand(size) / max([1, *size[-1:]]) ** 0.5).to(self.dtypes.get(name, torch.float32))

    def new_input(self):
        return tuple(self.new_tensor(name).requires_grad_() for name in self.inputs)

    def add(self, name, parameter):
        *path, last = name.split(".")
        module = self
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module._modules[part]
        module.register_parameter(last, parameter)
        self.names[name] = parameter

    def forward(self, inputs):
        values = dict(self.names, **dict(zip(self.inputs, inputs)))
        self.run(self.statements, values)
        return tuple(Hidden(values[name]) if "hidden" in marks else values[name] for name, *marks in self.outputs)

    def run(self, statements, values):
        for statement in statements:
            if isinstance(statement, Region):
                self.run_region(statement, values)
            elif statement[0] == "alias":
                values[statement[2]] = values[statement[1]]
            else:
                self.run_operation(statement, values)

    def run_region(self, region, values):
        outside = dict(values)  # what the names mean now: they may mean something else when the region is recomputed
        names = [result.strip("{}") for result in region.results]

        def function(*arguments):
            inside = outside | dict(zip(region.arguments, arguments))
            self.run(region.statements, inside)
            results = tuple({"nested": inside[name]} if marked.startswith("{") else inside[name]
                            for name, marked in zip(names, region.results))
            return results if len(results) > 1 else results[0]

        result = self.checkpoint(function, *(values.get(name) for name in region.arguments))
        values.update(zip(names, tensors_of(result)))

    def run_operation(self, statement, values):
        equals = statement.index("=")
        results, operation, *names = statement[:equals] + statement[equals + 1:]
        if operation == "linear":
            values[results[0]] = linear(values[names[0]], values[names[1] + ".weight"], values[names[1] + ".bias"])
            return
        result = OPERATIONS[operation](*(values[name] for name in names))
        values.update(zip(results, result if isinstance(result, tuple) else (result,)))

    def loss(self, results):
        tensors = [result.tensor if isinstance(result, Hidden) else result for result in results]
        in_loss = [tensor for tensor, (_, *marks) in zip(tensors, self.outputs) if "unused" not in marks]
        return sum(tensor.float().square().mean() for tensor in in_loss)
