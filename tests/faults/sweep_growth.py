"""Tell the growth of many drawn curves, and count how often it is told right.

Wrong: another kind than the curve's. False law: a law with a rate that the curve does not follow.
False jump: a curve with a jump named where none was planted. Covered: true rates inside their 95 %
interval, where one is given. Two more tables: the same curves' verdicts where there is little
noise, and laws alone under the same noise with other memories.

python tests/faults/sweep_growth.py [--curves 960] [--seed 2] [--workers 2]
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "comparison"))

from growth_families import (
    FAMILIES,
    GROWTH,
    LIFT,
    draw,
    is_false_law,
    recorded_steps,
    remembering,
    verdict,
)

from fpdrift.comparison import growth_of
from fpdrift.provenance import available_cores

COLUMNS = ("curves", "right", "cannot tell", "wrong", "false law", "false jump", "planted",
           "found", "rated", "covered")  # fmt: skip
#: Curves of at most so much noise have a table of their own.
QUIET = 0.015
#: Noise of the laws alone, the steps that it remembers, and how many curves of each.
CLEAN, MEMORIES, EACH = 0.01, (0, 3, 30), 24


def examine(seed, number):
    """Give a curve's family, what it adds to the counts, and for a quiet one its verdict."""
    drawn = draw(np.random.default_rng([seed, number]), FAMILIES[number % len(FAMILIES)])
    found = growth_of(drawn.steps, drawn.distances)
    named = {jump.step for jump in found.jumps}
    rated = found.trend.low is not None and drawn.rate is not None
    counts = Counter(dict.fromkeys(COLUMNS, 0))
    counts.update(["curves", verdict(drawn, found)])
    counts["false law"] = int(is_false_law(drawn, found))
    counts["false jump"] = int(bool(named - set(drawn.jumps)))
    counts["planted"], counts["found"] = len(drawn.jumps), len(named & set(drawn.jumps))
    if rated and verdict(drawn, found) == "right":
        counts["rated"] = 1
        counts["covered"] = int(found.trend.low <= drawn.rate <= found.trend.high)
    told = verdict(drawn, found)
    why = told if told != "cannot tell" else f"{found.trend.doubt}, memory {drawn.memory:g}"
    return drawn.family, counts, why if drawn.noise <= QUIET else None


def examine_law(seed, case):
    """Draw a law without floor, plateau and jumps; say what was named: right, why not, or wrong."""
    law, memory, number = case
    kind = {"power": "power law"}.get(law, law)
    rng = np.random.default_rng([seed, memory, number])
    steps = recorded_steps(int(rng.choice([96, 200, 400, 1000])))
    t = steps.astype(float)
    logs = GROWTH[law](rng, t)[0] + CLEAN * remembering(rng, t, memory)
    found = growth_of(steps, np.exp(logs - LIFT)).trend
    return "right" if found.kind == kind else str(found.doubt or "wrong")


def table(rows):
    """Write the counts as a table in Markdown, with their sum."""
    total = Counter()
    for counts in rows.values():
        total.update(counts)
    lines = [f"| curve | {' | '.join(COLUMNS)} |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, counts in {**rows, "all": total}.items():
        lines.append(f"| {name} | {' | '.join(str(counts[column]) for column in COLUMNS)} |")
    return "\n".join(lines), total


def reasons(verdicts):
    """Write how often each verdict was given, in one line."""
    return "; ".join(f"{count} {told}" for told, count in verdicts.most_common())


def failures(total):
    """Name each limit that was missed."""
    limits = {
        "right or cannot tell in 90 %": total["wrong"] <= 0.1 * total["curves"],
        "right in half": total["right"] >= 0.5 * total["curves"],
        "false laws in 5 %": total["false law"] <= 0.05 * total["curves"],
        "false jumps in 1 %": total["false jump"] <= 0.01 * total["curves"],
        "jumps found in 90 %": total["found"] >= 0.9 * total["planted"],
        "rates covered in 90 %": total["covered"] >= 0.9 * total["rated"],
    }
    return [name for name, held in limits.items() if not held]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=960)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--workers", type=int, default=available_cores())
    args = parser.parse_args()
    rows, quiet = ({family: Counter() for family in FAMILIES} for _ in range(2))
    laws = [*product(("power", "exponential"), MEMORIES, range(EACH))]
    named = {case[:2]: Counter() for case in laws}
    with ProcessPoolExecutor(args.workers) as pool:
        examined = pool.map(partial(examine, args.seed), range(args.curves), chunksize=8)
        for family, counts, told in examined:
            rows[family].update(counts)
            quiet[family].update([told] if told else [])
        for case, told in zip(laws, pool.map(partial(examine_law, args.seed), laws), strict=True):
            named[case[:2]].update([told])
    text, total = table(rows)
    print(f"{args.curves} curves, seed {args.seed}\n\n{text}")
    print(f"\nnoise of at most {100 * QUIET:g} %, number of curves:")
    print("\n".join(f"  {family}: {reasons(told)}" for family, told in quiet.items()))
    print(f"\nlaws alone under noise of {100 * CLEAN:g} %:")
    for (law, memory), told in named.items():
        print(f"  {law}, noise remembers {memory} steps: {reasons(told)}")
    missed = failures(total)
    if missed:
        print(f"missed: {', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
