"""What every Python driver does: reads requests as lines of JSON and answers each of them with one.

A request names a method of the driver in `do` and its arguments; what the method raises is told as `error`.
"""

import json
import sys
import time


def serve(driver):
    for line in sys.stdin:
        request = json.loads(line)
        method = getattr(driver, request.pop("do"))
        answer = told(lambda: method(**request))
        print(json.dumps({"answer": answer or {}}), flush=True)


def told(ask):
    try:
        return ask()
    except Exception as error:  # Whatever a client raises is what the test wants to know.
        return {"error": f"{type(error).__name__}: {error}"}


def wait_for(value, seconds, evaluate):
    """Evaluates until the value is there; tells the last answer, right or not, when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = told(evaluate)
        if answer.get("value") == value or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)
