"""Validates SARIF files against SARIF's schema: sarif_schema.py SCHEMA FILE..."""

import json
import sys

from jsonschema import FormatChecker
from jsonschema.validators import validator_for


def main() -> int:
    schema_path, *paths = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    validator = validator_for(schema)(schema, format_checker=FormatChecker())
    wrong = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        for error in validator.iter_errors(document):
            print(f"{path}: {error.json_path}: {error.message}")
            wrong += 1
    print(f"{len(paths)} files, {wrong} errors")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
