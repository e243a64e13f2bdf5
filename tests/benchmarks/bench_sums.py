"""Time many plans beside the obvious loop, and each sum beside numpy.sum, in one run.

python tests/benchmarks/bench_sums.py [--orders 10000] [--n 10000]
"""

import argparse
import statistics
import time

import numpy as np

from fpdrift.reduction import plans as makers
from fpdrift.reduction import run_plan, run_plans, sum_table


def seconds(call):
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def permute_and_accumulate(orders, row):
    return np.array([np.add.accumulate(row[order])[-1] for order in orders])


def node_by_node(plan, row):
    known = list(row)
    for left, right in plan.children.reshape(-1, 2).tolist():
        known.append(known[left] + known[right])
    return known[-1]


def compare(title, loop, ours, rounds):
    """Take turns; print the medians' ratio, and see that the bits are the same."""
    slow, fast = [], []
    for _ in range(rounds):
        duration, wanted = seconds(loop)
        slow.append(duration)
        duration, got = seconds(ours)
        fast.append(duration)
        assert np.array_equal(got, wanted)
    ratio = statistics.median(s / f for s, f in zip(slow, fast, strict=True))
    print(f"{title:46} {min(slow):8.3f} s {min(fast):8.3f} s   {ratio:6.1f} times as fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--n", type=int, default=10_000)
    options = parser.parse_args()
    n, rng = options.n, np.random.default_rng(1)
    row = rng.standard_normal(n).astype(np.float32)
    orders = np.stack([rng.permutation(n) for _ in range(options.orders)])
    print(f"{'':46} {'the loop':>10} {'run_plans':>10}")
    compare(
        f"{options.orders:,} orders of {n:,} float32",
        lambda: permute_and_accumulate(orders, row),
        lambda: run_plans(orders, row),
        rounds=5,
    )
    plan = makers.numpy_like(n)
    rows = rng.standard_normal((200, n)).astype(np.float32)
    compare(
        f"1 plan, 200 rows of {n:,}, against run_plan",
        lambda: np.array([run_plan(plan, each) for each in rows]),
        lambda: run_plans(plan, rows),
        rounds=3,
    )
    for size in (100, 10_000):
        plans = [makers.random(size, rng) for _ in range(50_000 // size)]
        few = rng.standard_normal(size).astype(np.float32)
        compare(
            f"{len(plans)} random trees of {size:,}, node by node",
            lambda plans=plans, few=few: np.array([node_by_node(plan, few) for plan in plans]),
            lambda plans=plans, few=few: run_plans(plans, few),
            rounds=3,
        )
    for dtype in ("float32", "float64"):
        print(f"\n{dtype}, 100,000 numbers, times numpy.sum")
        for entry in sum_table(100_000, (1e5,), dtype=dtype, orders=1, repeats=5).rows:
            print(
                f"  {entry.name:14} {entry.times_numpy:9.1f} times   "
                f"error {entry.error:.2g} u, bound {entry.bound:.2g} u"
            )


if __name__ == "__main__":
    main()
