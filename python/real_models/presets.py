"""What libraries checkpoint when that is switched on: renews analyzer/presets/*.toml and docs/presets.md.

    real_models/setup && .venv-real/bin/python3 real_models/presets.py

transformers: all subclasses of its GradientCheckpointingLayer. timm: what checkpoint() is called with while models run on the
meta device, some from each file of timm.models, until every method that calls checkpoint() has done so. torchvision and the
OpenMMLab packages: the calls of checkpoint() in their source text, and the classes that inherit the methods with these calls.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
warnings.filterwarnings("ignore")

import models  # noqa: E402, F401  (declares what timm and torchvision need)
import torch  # noqa: E402
from checkpoint_calls import checkpoint_calls  # noqa: E402
from torch import nn  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = Path(sysconfig.get_path("purelib"))
SOURCES = ROOT / "python/.venv-real/sources"


class Call(NamedTuple):
    owner: str  # qualified name of a class
    path: str = ""  # from a module of that class to the one that is called
    only_for_grad: bool = False  # a call none of whose tensors requires grad is not checkpointed
    outside: str = ""  # what the call does besides the region


Calls = set[Call]


def qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def note(*words):
    print(*words, file=sys.stderr, flush=True)


# --- transformers ------------------------------------------------------------------------------------------------------------


def all_subclasses(kind: type) -> set[type]:
    found, left = set(), [kind]
    while left:
        new = set(left.pop().__subclasses__()) - found
        found |= new
        left += new
    return found


def transformers_calls() -> Calls:
    import transformers.models
    from transformers.modeling_layers import GradientCheckpointingLayer

    for folder in pkgutil.iter_modules(transformers.models.__path__, "transformers.models."):
        package = Path(transformers.models.__path__[0]) / folder.name.rpartition(".")[2]
        for file in sorted(package.glob("modeling_*.py")):
            try:
                importlib.import_module(f"{folder.name}.{file.stem}")
            except Exception as error:
                note(f"transformers: {file.name} is left out: {error}")
    return {Call(qualified(kind)) for kind in all_subclasses(GradientCheckpointingLayer)}


# --- timm --------------------------------------------------------------------------------------------------------------------

TRIED_AT_LEAST, TRIED_AT_MOST = 4, 16  # models of a file of timm.models


def calls_checkpoint(function) -> bool:
    names = function.__code__.co_names
    return "checkpoint_seq" in names or "checkpoint" in names


def asking_methods(kind: type) -> set[str]:
    """The methods of the class that call checkpoint() in forward."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    return {method.__qualname__ for name, method in methods if name != "forward_intermediates" and calls_checkpoint(method)}


def asking_classes(module) -> set[type]:
    kinds = {kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__}
    return {kind for kind in kinds if issubclass(kind, nn.Module) and asking_methods(kind)}


def evenly(names):
    """Some of them, the first few spread over the whole list."""
    if not names:
        return []
    first = [names[k * (len(names) - 1) // (TRIED_AT_LEAST - 1)] for k in range(TRIED_AT_LEAST)]
    return list(dict.fromkeys(first + names))[:TRIED_AT_MOST]


def timm_regions(name, features_only):
    import timm

    with torch.device("meta"):
        model = timm.create_model(name, features_only=features_only).train()
        image = torch.empty(2, *timm.get_pretrained_cfg(name).input_size, requires_grad=True)
    model.set_grad_checkpointing(True)
    return model, checkpoint_calls(lambda: model(image))


def generalised(path: str) -> str:
    return re.sub(r"\d+", "*", path)


def matches(glob: str, path: str) -> bool:
    return re.fullmatch(re.escape(glob).replace(r"\*", "[^.]*"), path) is not None


def call_of(model, region) -> Call:
    paths = {module: path for path, module in model.named_modules(remove_duplicate=True)}
    owner, kind = paths[region.caller], qualified(type(region.caller))
    if not region.is_one_call:
        outside = [name for name, module in region.caller.named_children() if module not in region.modules]
        return Call(kind, "", True, ", ".join(outside))
    path = paths[region.modules[0]]
    if owner and not path.startswith(owner + "."):
        raise ValueError(f"{owner} checkpoints {path}, which is not below it")
    return Call(kind, generalised(path[len(owner) + 1 if owner else 0 :]))


def chosen(modules, calls: Calls) -> set[str]:
    """The paths of the modules that these calls match in analyzer/presets/presets.cpp. `modules`: (path, class)."""
    kinds, globs = dict(modules), {}
    for call in calls:
        globs.setdefault(call.owner, []).append(call.path)
    paths = set()
    for path in kinds:
        names = path.split(".") if path else []
        for depth in range(len(names) + 1):
            owner, below = ".".join(names[:depth]), ".".join(names[depth:])
            if any(matches(glob, below) for glob in globs.get(kinds.get(owner), ())):
                paths.add(path)
    return paths


@dataclass
class Run:
    name: str
    modules: list[tuple[str, str]]  # (path, class)
    checkpointed: set[str]  # paths


def timm_run(name, features_only, calls: Calls, executed) -> Run:
    model, regions = timm_regions(name, features_only)
    # A wrapper around modules of any model checkpoints all but the first and the last.
    regions = [region for region in regions if not qualified(type(region.caller)).startswith("timm.models._features.")]
    executed |= {(type(region.caller), region.method) for region in regions}
    calls |= {call_of(model, region) for region in regions}
    paths = {module: path for path, module in model.named_modules()}
    asked = {paths[region.modules[0] if region.is_one_call else region.caller] for region in regions}
    return Run(name, [(path, qualified(type(module))) for path, module in model.named_modules()], asked)


def timm_file(file, calls: Calls) -> list[Run]:
    """Runs models of timm/models/FILE.py until each method that calls checkpoint() has done so."""
    import timm

    module = importlib.import_module(f"timm.models.{file}")
    wanted, executed = {(kind, method) for kind in asking_classes(module) for method in asking_methods(kind)}, set()
    names, runs = evenly(timm.list_models(module=file)), []
    for tried, (features_only, name) in enumerate(itertools.product((False, True), names)):
        if tried >= min(TRIED_AT_LEAST, len(names)) and wanted <= executed:
            break
        try:
            runs.append(timm_run(name, features_only, calls, executed))
        except Exception as error:  # "gradient checkpointing not supported", no features
            note(f"timm: {name}: {type(error).__name__} {error}")
    for kind, method in sorted(wanted - executed, key=str):
        note(f"timm: {qualified(kind)} never calls checkpoint() in {method}")
    return runs


def timm_calls() -> Calls:
    import timm

    calls: Calls = set()
    runs = [run for file in timm.list_modules() for run in timm_file(file, calls)]
    for run in runs:
        said = chosen(run.modules, calls)
        if said != run.checkpointed:
            note(f"timm: {run.name}: too many {said - run.checkpointed}, too few {run.checkpointed - said}")
    note(f"timm: {len(runs)} models run")
    return calls


# --- source text -------------------------------------------------------------------------------------------------------------


class Sources:
    """The classes of some packages by qualified name, without importing them."""

    def __init__(self, root: Path, packages: tuple[str, ...]):
        self.classes: dict[str, ast.ClassDef] = {}
        self.names: dict[tuple[str, str], str] = {}  # (module, what it imports under this name): its qualified name
        self.opened: set[str] = set()
        for package in packages:
            for file in sorted((root / package).rglob("*.py")):
                if ".mim" not in file.parts:
                    self.read(file, ".".join(file.relative_to(root).with_suffix("").parts))

    def read(self, file: Path, module: str):
        is_package = module.endswith(".__init__")
        module = module.removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                for name in node.names:
                    self.names[module, name.asname or name.name] = f"{source}.{name.name}"
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                self.classes[f"{module}.{node.name}"] = node

    def resolved(self, name: str) -> str:
        """The qualified name of the class, by the module that defines it."""
        seen = set()
        while name not in self.classes and name not in seen:
            seen.add(name)
            name = self.names.get(tuple(name.rpartition(".")[::2]), name)
        return name

    def ancestors(self, name: str) -> list[str]:
        """The class and its base classes, nearest first."""
        line, left = [], [name]
        while left:
            name = left.pop(0)
            if name in self.classes and name not in line:
                line.append(name)
                module = name.rpartition(".")[0]
                bases = [base.id for base in self.classes[name].bases if isinstance(base, ast.Name)]
                left += [self.resolved(f"{module}.{base}") for base in bases]
        return line

    def methods(self, name: str) -> dict[str, ast.FunctionDef]:
        methods = {}
        for ancestor in reversed(self.ancestors(name)):
            methods |= {node.name: node for node in self.classes[ancestor].body if isinstance(node, ast.FunctionDef)}
        return methods


def called_in(argument, method) -> str:
    """What checkpoint(argument, ...) calls: "" for a closure over the module, else the path to a module below it."""
    text = ast.unparse(argument)
    if found := re.fullmatch(r"self\.(\w+)(\[\w+\])?", text):
        return found[1] + (".*" if found[2] else "")
    for loop in (node for node in ast.walk(method) if isinstance(node, ast.For) and ast.unparse(node.target) == text):
        if found := re.fullmatch(r"self\.(\w+)(\[1:\])?", ast.unparse(loop.iter)):
            return found[1] + (".[1-9]*" if found[2] else ".*")
    return ""


def checkpointed(statement, method, methods) -> str | None:
    """What the statement checkpoints, itself or in a method that it calls, in the format of called_in(). None: nothing."""
    for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func).rpartition(".")[2]
        if name == "checkpoint":
            path = called_in(call.args[0], method)
            return "" if path in methods else path
        inner = methods.get(name.removeprefix("self."))
        if inner and ast.unparse(call.func) == f"self.{name}" and checkpointed(inner, inner, methods) is not None:
            return ""
    return None


def outside_of(switch, method, wanted) -> str:
    """The modules that the method calls outside of any region."""
    if switch not in method.body:
        return ""
    rest = [node for node in method.body if not isinstance(node, ast.FunctionDef) and f"self.{wanted}" not in ast.unparse(node)]
    return ", ".join(dict.fromkeys(name for node in rest for name in re.findall(r"self\.(\w+)\(", ast.unparse(node))))


def asked_for(sources: Sources, wanted: str) -> Calls:
    """What is checkpointed under `if self.WANTED`."""
    calls = set()
    for name in sources.classes:
        methods = sources.methods(name)
        for method in methods.values():
            for switch in (node for node in ast.walk(method) if isinstance(node, ast.If)):
                if f"self.{wanted}" not in ast.unparse(switch.test):
                    continue
                paths = [checkpointed(statement, method, methods) for statement in switch.body]
                for path in paths:
                    if path is not None:
                        only_for_grad = "requires_grad" in ast.unparse(switch.test)
                        calls.add(Call(name, path, only_for_grad, "" if path else outside_of(switch, method, wanted)))
    return calls


# --- output ------------------------------------------------------------------------------------------------------------------

OPENMMLAB = ("mmcv", "mmdet", "mmpretrain", "mmseg", "mmpose", "mmaction")


def openmmlab_calls() -> Calls:
    return asked_for(Sources(SOURCES, OPENMMLAB), "with_cp")


def torchvision_calls() -> Calls:
    return asked_for(Sources(LIBRARIES, ("torchvision",)), "memory_efficient")


def openmmlab_version() -> str:
    found = {file.name.split("-")[0]: file.name.split("-")[1].removesuffix(".dist") for file in SOURCES.glob("mm*.dist-info")}
    return ", ".join([f"mmcv {version('mmcv-lite')}", *(f"{name} {found[name]}" for name in sorted(found))])


PRESETS = {
    "mmcv": (openmmlab_calls, openmmlab_version),
    "timm": (timm_calls, lambda: f"timm {version('timm')}"),
    "torchvision": (torchvision_calls, lambda: f"torchvision {version('torchvision')}"),
    "hf": (transformers_calls, lambda: f"transformers {version('transformers')}"),
}


def listed(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def rows(calls: Calls) -> list[str]:
    """A line for the calls in a module that are alike."""
    alike: dict[tuple[str, str, bool], list[str]] = {}
    for call in sorted(calls):
        module, _, kind = call.owner.rpartition(".")
        names = alike.setdefault((module, call.outside, call.only_for_grad), [])
        names.append(kind + (f".{call.path}" if call.path else ""))
    lines = []
    for (module, outside, only_for_grad), names in alike.items():
        fields = [f'module = "{module}"', f"of = {listed(dict.fromkeys(names))}"]
        fields += ["only_for_grad = true"] if only_for_grad else []
        fields += [f"outside = {listed(outside.split(', '))}"] if outside else []
        lines.append(f"  {{{', '.join(fields)}}},")
    return lines


def renewed(toml: str, calls: Calls, looked_at: str) -> str:
    """A preset's file; kind, asked_by and remark stay as they are."""
    toml = re.sub(r"(?m)^library = .*$", lambda _: f'library = "{looked_at}"', toml)
    return re.sub(r"(?ms)^calls = \[$.*?^\]$", lambda _: "\n".join(["calls = [", *rows(calls), "]"]), toml)


def main():
    for name, (derive, looked_at) in PRESETS.items():
        file = ROOT / f"analyzer/presets/{name}.toml"
        file.write_text(renewed(file.read_text(), derive(), looked_at()))
    subprocess.run([ROOT / "scripts/presets"], check=True)


if __name__ == "__main__":
    main()
