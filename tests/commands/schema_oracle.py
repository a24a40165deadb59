#!/usr/bin/python3
# Another maker's reading of a JSON Schema, for policy_schema_test.cc:
#   schema_oracle.py SCHEMA < DOCUMENTS    DOCUMENTS is a JSON list; says of each whether it is valid, as a list of booleans
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))
json.dump([validator.is_valid(each) for each in json.load(sys.stdin)], sys.stdout)
