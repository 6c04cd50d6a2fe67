"""Makes a model smaller, step by step, as long as it shows a difference."""
from __future__ import annotations

import copy
import re
import time
from dataclasses import fields, is_dataclass
from typing import Any, Callable, Iterator

from spec import Assign, Layer, Model, Region, Step, all_statements, blocks


def shrink(model: Model, shows: Callable[[Model], bool], seconds: float) -> Model:
    """The smallest model found in that time for which shows() holds, as it does for `model`."""
    end = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for smaller in smaller_models(model):
            if time.monotonic() > end:
                return model
            if shows(smaller):
                model, progress = smaller, True
                break
    return model


def smaller_models(model: Model) -> Iterator[Model]:
    """Models that lack one thing each, the largest things first."""
    for at in range(len(model.bodies) if len(model.bodies) > 1 else 0):
        yield changed(model, lambda new: new.bodies.pop(at))
    for each in fields(Step):
        if getattr(model.step, each.name) != getattr(Step(), each.name):
            yield changed(model, lambda new: setattr(new.step, each.name, getattr(Step(), each.name)))
    for name in model.ddp:
        yield changed(model, lambda new: new.ddp.pop(name))
    yield from fewer_statements(model)
    yield from fewer_outputs(model)
    yield from simpler_layers(model)


def changed(model: Model, change: Callable[[Model], Any]) -> Model:
    new = copy.deepcopy(model)
    change(new)
    return new


def fewer_statements(model: Model) -> Iterator[Model]:
    for body in range(len(model.bodies)):
        for block, statements in enumerate(blocks(model.bodies[body].statements)):
            for at in reversed(range(len(statements))):
                def apply(change: Callable[..., None], *args: Any) -> Model:
                    def there(new: Model) -> None:
                        change(new.bodies[body], list(blocks(new.bodies[body].statements))[block], at, *args)
                    return changed(model, there)

                yield apply(drop)
                if isinstance(statements[at], Region):
                    yield from simpler_region(statements[at], apply)


def simpler_region(region: Region, apply: Callable[..., Model]) -> Iterator[Model]:
    yield apply(inline)
    for argument in range(len(region.arguments)):
        yield apply(drop_argument, argument)
    for result in range(len(region.results) if len(region.results) > 1 else 0):
        yield apply(drop_result, result)
    plain = "tensor" if len(region.results) == 1 else "tuple"
    if region.form != plain:
        yield apply(lambda body, block, at: setattr(block[at], "form", plain))
    if not region.reentrant:
        yield apply(lambda body, block, at: setattr(block[at], "reentrant", True))


def drop(body: Any, block: list, at: int) -> None:
    """Who reads what it assigns reads what it has read."""
    gone = block.pop(at)
    outs, reads = ([gone.out], gone.reads) if isinstance(gone, Assign) else (gone.outs, [
        each for each in gone.arguments if isinstance(each, str)])
    for out in outs:
        rename(body, out, reads[0] if reads else "x")


def inline(body: Any, block: list, at: int) -> None:
    region = block[at]
    block[at:at + 1] = region.body
    for out, result in zip(region.outs, region.results):
        rename(body, out, result)
    for parameter, argument in zip(region.parameters, region.arguments):
        for place, each in enumerate(argument if isinstance(argument, list) else []):
            rename(body, f"{parameter}[{place}]", each)
        if isinstance(argument, str):
            rename(body, parameter, argument)


def drop_argument(body: Any, block: list, at: int, argument: int) -> None:
    region = block[at]
    gone, parameter = region.arguments.pop(argument), region.parameters.pop(argument)
    other = region.parameters[0] if region.parameters and isinstance(region.arguments[0], str) else None
    for place, each in enumerate(gone if isinstance(gone, list) else []):
        rename(region, f"{parameter}[{place}]", other or each)
    if isinstance(gone, str):
        rename(region, parameter, other or gone)


def drop_result(body: Any, block: list, at: int, result: int) -> None:
    region = block[at]
    region.results.pop(result)
    region.form = "tensor" if len(region.results) == 1 else "tuple"
    rename(body, region.outs.pop(result), region.outs[0])


def rename(thing: Any, old: str, new: str) -> None:
    """Changes each variable of that name in what is read."""
    for each in fields(thing) if is_dataclass(thing) else []:
        value = getattr(thing, each.name)
        if isinstance(value, list):
            setattr(thing, each.name, renamed(value, old, new))


def renamed(values: list, old: str, new: str) -> list:
    for value in values:
        rename(value, old, new)
    return [new if value == old else renamed(value, old, new) if isinstance(value, list) else value for value in values]


def fewer_outputs(model: Model) -> Iterator[Model]:
    count = len(model.bodies[0].outs)
    plain = "tensor" if count == 1 else "tuple"
    if model.form != plain:
        yield changed(model, lambda new: setattr(new, "form", plain))
    for at in range(count if count > 1 else 0):
        yield changed(model, lambda new: drop_output(new, at))


def drop_output(model: Model, at: int) -> None:
    for body in model.bodies:
        body.outs.pop(at)
    model.loss = [each - (each > at) for each in model.loss if each != at] or [0]
    if len(model.bodies[0].outs) == 1:
        model.form = "tensor"
    elif model.form == "dict_in_tuple":
        model.form = "tuple"


def simpler_layers(model: Model) -> Iterator[Model]:
    if not model.x_requires_grad:
        yield changed(model, lambda new: setattr(new, "x_requires_grad", True))
    used = {each.layer for each in all_statements(model) if isinstance(each, Assign)}
    used |= {layer.tied for layer in model.layers} | {layer.same for layer in model.layers}
    for at, layer in reversed(list(enumerate(model.layers))):
        if at not in used and len(model.layers) > 1:
            yield changed(model, lambda new: drop_layer(new, at))
        simple = Layer(f"l{at}", "linear", bias=False)
        for each in fields(Layer):
            if getattr(layer, each.name) != getattr(simple, each.name) and (each.name != "kind" or layer.kind != "parameter"):
                yield changed(model, lambda new: setattr(new.layers[at], each.name, getattr(simple, each.name)))


def drop_layer(model: Model, at: int) -> None:
    gone = model.layers.pop(at).path
    for thing, name in [(each, "layer") for each in all_statements(model) if isinstance(each, Assign)] + [
            (layer, name) for layer in model.layers for name in ("tied", "same")]:
        if (value := getattr(thing, name)) is not None and value > at:
            setattr(thing, name, value - 1)
    outside = re.compile(re.escape(gone) + r"(\.weight)?$")
    for names in (model.step.used_outside, model.step.zero_times):
        names[:] = [name for name in names if not outside.match(name)]
