"""Validates whatever gradscan writes against the schemas that it publishes in docs/schema/.

    schemas.py GRADSCAN        from the root of the repository
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema

SAMPLE = Path("examples/resnet50_with_cp.pt")


def validators():
    """By what a document's "schema" says."""
    found = {}
    for path in sorted(Path("docs/schema").glob("*.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        found[schema["properties"]["schema"]["const"]] = jsonschema.Draft202012Validator(schema)
    return found


def kept_documents():
    """Golden files and captures in the repository that name one of gradscan's schemas."""
    for path in sorted(Path("tests").rglob("*.json")):
        document = json.loads(path.read_text())
        if isinstance(document, dict) and str(document.get("schema", "")).startswith("gradscan-"):
            yield str(path), document


def written_documents(gradscan, folder):
    """One of each schema, fresh from the program."""
    capture = folder / "sample.capture.json"

    def run(*arguments):
        done = subprocess.run([gradscan, *map(str, arguments)], stdout=subprocess.PIPE, check=False, text=True)
        assert done.returncode in (0, 1), f"{arguments} ended with {done.returncode}"
        return done.stdout

    report = run(SAMPLE, "--format", "json", "--save-capture", capture, "--find-unused-parameters")
    yield "a report", json.loads(report)
    yield "a capture", json.loads(capture.read_text())
    yield "a survey", json.loads(run(capture, capture, "--format", "json"))
    yield "a plan", json.loads(run(SAMPLE, "--budget", "8GiB", "--format", "json"))
    yield "a comparison", json.loads(run(capture, "--compare", capture, "--format", "json"))
    baseline = folder / "baseline.json"
    run(capture, "--find-unused-parameters", "--write-baseline", baseline)
    yield "a baseline", json.loads(baseline.read_text())


def refuses_damage(validator, document):
    """A schema that takes everything would be none: each required member in turn is left out, and of another type."""
    for key in validator.schema["required"]:
        without = {name: value for name, value in document.items() if name != key}
        assert not validator.is_valid(without), f"a document without {key} is valid"
        assert not validator.is_valid({**document, key: 7.5}), f"a document with {key} 7.5 is valid"


def main(gradscan):
    schemas = validators()
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        kept = list(kept_documents())
        assert any(name.endswith(".capture.json") for name, _ in kept) and any("golden" in name for name, _ in kept)
        for name, document in [*kept, *written_documents(gradscan, Path(folder))]:
            validator = schemas[document["schema"]]
            error = jsonschema.exceptions.best_match(validator.iter_errors(document))
            assert error is None, f"{name}: {error.json_path}: {error.message}"
            refuses_damage(validator, document)
            seen.add(document["schema"])
    assert seen == set(schemas), f"no document of {set(schemas) - seen}"


main(sys.argv[1])
