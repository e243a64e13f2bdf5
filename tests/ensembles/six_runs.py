"""Six small runs for tests of ensembles, and what is looked at afterwards."""

from made_records import made

from fpdrift.ensembles import _remote
from fpdrift.training import Condition

SIX = [Condition(intra_op_threads=k) for k in (1, 2, 3)] * 2


def bits(result, directory):
    records = list(result.records(directory))
    assert all(record.complete for record in records)
    return [(record.hashes.tobytes(), record.loss.tobytes()) for record in records]


def left(directory):
    return sorted(path.name for path in directory.iterdir())


def failing(monkeypatch, errors):
    """Let the second condition fail in a worker with each error in turn, then go well."""
    errors = list(errors)
    whole = _remote.train

    def train(condition, *args, **named):
        if condition == SIX[1] and errors:
            made(condition, *args, **named, end=False)
            raise errors.pop(0)
        return whole(condition, *args, **named)

    monkeypatch.setattr(_remote, "train", train)
