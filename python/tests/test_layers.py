"""The modules import each other as layers.toml says."""

import ast
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest there

PYTHON = Path(__file__).resolve().parents[1]


def read_layers(text):
    """{module: number of its layer}"""
    layers = tomllib.loads(text)["layer"]
    return {module: number for number, layer in enumerate(layers) for module in layer["modules"]}


def imports(source, modules):
    """The modules of the package that a source text imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ("gradscan" if node.level else "", node.module)))
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            if package == "gradscan" and module in modules:
                yield module


def violations(sources, layers):
    """`sources` are {module: its text}."""
    found = [f"{module} is not in layers.toml" for module in sources if module not in layers]
    found += [f"layers.toml names {module}, which does not exist" for module in layers if module not in sources]
    for module in sources.keys() & layers.keys():
        for other in sorted(set(imports(sources[module], layers)) - {module}):
            if layers[other] >= layers[module]:
                found.append(f"{module} imports {other}, which is not below it")
    return found


def test_the_package():
    sources = {path.stem: path.read_text() for path in (PYTHON / "gradscan").glob("*.py")}
    assert violations(sources, read_layers((PYTHON / "layers.toml").read_text())) == []


TWO_LAYERS = '[[layer]]\nmodules = ["low", "beside"]\n[[layer]]\nmodules = ["high"]\n'


@pytest.mark.parametrize(
    "statement",
    [
        "import gradscan.{}",
        "from gradscan.{} import something",
        "from gradscan import errors, {}",
        "from . import {}",
        "from .{} import something",
        "def function():\n    from gradscan.{} import something",
        "if TYPE_CHECKING:\n    from gradscan.{} import something",
    ],
)
def test_arrows(statement):
    def found(module, other):
        sources = {"low": "", "beside": "", "high": ""} | {module: statement.format(other)}
        return violations(sources, read_layers(TWO_LAYERS))

    assert found("high", "low") == []
    assert found("low", "low") == []
    assert found("low", "high") == ["low imports high, which is not below it"]
    assert found("low", "beside") == ["low imports beside, which is not below it"]


def test_modules_without_a_layer():
    def found(*modules):
        return violations(dict.fromkeys(modules, ""), read_layers(TWO_LAYERS))

    assert found("low", "beside", "high", "new") == ["new is not in layers.toml"]
    assert found("low", "beside") == ["layers.toml names high, which does not exist"]
