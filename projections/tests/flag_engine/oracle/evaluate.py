"""Flagsmith's engine as an oracle: answers each line of input, an evaluation context, with a line that says what it makes of it.

An integer that JSON numbers are too small for comes as {"integer": "digits"}.
"""

import json
import sys

from flag_engine.engine import get_evaluation_result


def with_integers(context):
    traits = (context.get("identity") or {}).get("traits") or {}
    for key, value in traits.items():
        if isinstance(value, dict):
            traits[key] = int(value["integer"])
    return context


def answer(context):
    try:
        result = get_evaluation_result(with_integers(context))
    except Exception as error:  # the engine lets whatever its parts raise through
        return {"error": type(error).__name__}
    flags = {
        name: [flag["enabled"], flag["value"], flag["variant"], flag["reason"]]
        for name, flag in result["flags"].items()
    }
    return {"flags": flags, "segments": [segment["name"] for segment in result["segments"]]}


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
