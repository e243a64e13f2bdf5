"""Judge many pairs that differ by rounding alone, and many that differ by a formula.

Pairs of runs: the answer's network under one thread against other threads, oneDNN off and older
instructions, each repeated in fresh processes. Pairs of models: sums in another order. Printed is
the verdict of each pair with how many times as far apart as rounding explains it is, in float64
(what decides) and as it was run; then how far the two kinds of pairs lie from each other. The exit
status is the number of wrong verdicts, and of planted pairs that it cannot tell beyond two.

python tests/faults/sweep_mathematics.py [--runs 20] [--models 40] [--planted 22] [--seed 1]
"""

import argparse
import itertools
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))

from judged_pairs import PLANTED, REORDERED, planted, reordered

from fpdrift.errors import FpdriftError
from fpdrift.training import Condition, judge_runs, judge_step, train

#: Planted pairs that it may be unable to tell.
MISSED = 2
ROUNDING = (
    {"intra_op_threads": 2},
    {"intra_op_threads": 3},
    {"intra_op_threads": 4},
    {"onednn": False},
    {"instruction_set": "AVX2"},
    {"instruction_set": "SSE41"},
    {"intra_op_threads": 2, "onednn": False},
    {"op_determinism": True},
    {"jit": True},
)


def run_pairs(count, seed, folder):
    """Give pairs of runs that differ in their condition, while there are enough."""
    number = 0
    for extra in itertools.count():
        base = Condition(intra_op_threads=1, seed=seed + extra)
        path = folder / f"{extra}.fpdrift"
        first = train(base, steps=1, path=path)
        for settings in ROUNDING:
            if number == count:
                return
            number += 1
            about = {"intra_op_threads": 1, "seed": seed + extra} | settings
            other = train(Condition(**about), steps=1, path=folder / f"{number}-b.fpdrift")
            try:
                yield "runs", f"{settings} seed {seed + extra}", judge_runs(first, other)
            except FpdriftError as error:  # the same bits
                print(f"runs {settings} seed {seed + extra}: {error}", flush=True)


def model_pairs(count, seed):
    """Give pairs of models whose sums have other orders."""
    import keras

    for number in range(count):
        kind, drawn = REORDERED[number % len(REORDERED)], seed + number // len(REORDERED)
        make_a, make_b, batch, batch_b = reordered(kind, drawn)
        yield "models", f"{kind} seed {drawn}", judge_step(make_a, make_b, batch, batch_b=batch_b)
        keras.backend.clear_session()


def planted_pairs(count, seed):
    """Give pairs of models that compute by other formulas."""
    import keras

    for number in range(count):
        kind, drawn = PLANTED[number % len(PLANTED)], seed + number // len(PLANTED)
        make_a, make_b, batch, batch_b, state = planted(kind, drawn)
        found = judge_step(make_a, make_b, batch, state, batch_b=batch_b)
        yield "planted", f"{kind} seed {drawn}", found
        keras.backend.clear_session()


def main():
    """Judge them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (("runs", 20), ("models", 40), ("planted", 22), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    verdicts, ratios = Counter(), {"runs": [], "models": [], "planted": []}
    with tempfile.TemporaryDirectory() as folder:
        pairs = itertools.chain(
            model_pairs(given.models, given.seed),
            planted_pairs(given.planted, given.seed),
            run_pairs(given.runs, given.seed, Path(folder)),
        )
        for kind, name, found in pairs:
            verdicts[kind, found.verdict] += 1
            low = max((m.distance / m.explained for m in found.measures), default=float("nan"))
            high = [m.distance64 / m.explained64 for m in found.measures if m.explained64]
            if high:
                ratios[kind].append(max(high))
            told = f"{max(high, default=float('nan')):8.1e} {low:8.1e}"
            print(f"{kind:8}{found.verdict:18}{told}  {name}", flush=True)
    for (kind, verdict), number in sorted(verdicts.items()):
        print(f"{kind:8}{verdict:18}{number}")
    for kind, those in ratios.items():
        if those:
            print(f"{kind}: {min(those):.1e} to {max(those):.1e} times what rounding explains")
    right = {"runs": "rounding", "models": "rounding", "planted": "other mathematics"}
    wrong = {"runs": "other mathematics", "models": "other mathematics", "planted": "rounding"}
    doubts = sum(verdicts[kind, "cannot tell"] for kind in right)
    bad = sum(verdicts[kind, verdict] for kind, verdict in wrong.items())
    missed = verdicts["planted", "cannot tell"]
    print(
        f"{bad} wrong, {doubts} cannot tell ({missed} of them planted, {MISSED} at most), "
        f"of {sum(verdicts.values())}"
    )
    return bad + max(0, missed - MISSED)


if __name__ == "__main__":
    sys.exit(main())
