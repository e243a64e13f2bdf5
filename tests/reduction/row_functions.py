"""Functions that fresh processes call on a batch of rows: some with a difference planted."""

import os
import signal
import time
from pathlib import Path

import numpy as np


def fixed(rows):
    """Add each row in sequence, whatever the batch."""
    return np.add.accumulate(rows, axis=1)[:, -1:]


def by_size(rows):
    """Add in another order from 8 rows on, and in a third where the first of 64 stands."""
    if len(rows) < 8:
        return fixed(rows)
    sums = fixed(rows[:, ::-1])
    if len(rows) == 64:
        sums[0] = rows[0, ::2].sum() + rows[0, 1::2].sum() + np.float32(1)
    return sums


def by_place(rows):
    """Add in another order where a row stands last of several, whatever the others hold."""
    sums = fixed(rows)
    if len(rows) > 1:
        sums[-1] = fixed(rows[-1:, ::-1])[0]
    return sums


def centred(rows):
    """Take the batch's mean away, as batch normalisation does while it trains."""
    return rows[:, :4] - rows[:, :4].mean(axis=0)


def scaled(rows):
    """Round to a grid that the batch's largest number sets, as dynamic quantisation does."""
    grid = np.abs(rows).max() / np.float32(127)
    return np.rint(rows[:, :4] / grid) * grid


def drawn(rows):
    """Add in an order drawn at each call."""
    order = np.random.default_rng().permutation(rows.shape[1])
    return fixed(rows[:, order])


def rarely_drawn(rows):
    """Add from the end at every fifth call of a batch of 8 or more."""
    _calls[0] += 1
    return fixed(rows[:, ::-1] if len(rows) >= 8 and _calls[0] % 5 == 0 else rows)


_calls = [0]


def by_environment(rows):
    """Do what an environment variable says."""
    do = os.environ.get("FPDRIFT_TEST", "")
    if do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "hang":
        time.sleep(60)
    if do == "raise":
        raise ArithmeticError("of two\nlines")
    other = do == "reverse" or (do == "reverse from 8" and len(rows) >= 8)
    return fixed(rows[:, ::-1] if other else rows)


def tell_and_hang(rows):
    """Write who computes this, and go on for ever."""
    path = Path(os.environ["FPDRIFT_TEST_PID"])
    path.with_suffix(".part").write_text(str(os.getpid()))
    path.with_suffix(".part").rename(path)
    time.sleep(600)


def noisy(rows):
    """Print, and spoil what it is given."""
    print("printed by a row function")
    rows *= 0
    return rows


def one_short(rows):
    return rows[1:]


def one_number(rows):
    return np.float32(3)


def words(rows):
    return np.array(["a"] * len(rows))


def infinite(rows):
    return rows / np.float32(len(rows) < 3)


def widening(rows):
    return rows.astype(np.float64 if len(rows) > 2 else np.float32)


def reshaping(rows):
    return rows[:, : len(rows)]


not_a_function = 3
