"""Run in a fresh process by test_train: write step after step of a record, as a training does."""

import time

from made_records import made

from fpdrift.subprocesses import serve
from fpdrift.training._condition import Condition


def write(task, report):
    def slowly(step, _steps):
        time.sleep(0.01)
        report({"step": step})

    named = {name: task[name] for name in ("network", "data", "labels", "steps", "path")}
    made(Condition.from_dict(task["condition"]), **named, progress=slowly)
    return {}


if __name__ == "__main__":
    serve(write)
