"""Time a chain's value beside the plain Python loop that it replaces, in one run.

python tests/benchmarks/bench_chain.py [--count 100000000]
"""

import argparse
import statistics
import time

import numpy as np

from fpdrift import chain

A, B = 2 / 9 * 11, 2 * 11 / 9
#: The loops as a module runs them: every name is a global.
RATIO_LOOP = "one = 1.0\nfactor = A / B\nfor _ in range(COUNT):\n    one *= factor\n"
PAIR_LOOP = "one = 1.0\nfor _ in range(COUNT):\n    one *= A\n    one /= B\n"


def plain(source, count):
    """Run a loop as a module of its own; give its result and seconds."""
    names = {"A": A, "B": B, "COUNT": count}
    code = compile(source, "loop", "exec")
    began = time.perf_counter()
    exec(code, names)
    return names["one"], time.perf_counter() - began


def jumped(factor, count, repeats):
    """Give a chain's value and its median seconds, each call from scratch."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        value = chain(1.0, factor, count).value
        seconds.append(time.perf_counter() - began)
    return value, statistics.median(seconds)


def compare(title, source, factor, count):
    half, before = jumped(factor, count, 1000)
    looped, loop_seconds = plain(source, count)
    value, after = jumped(factor, count, 1000)
    seconds = max(before, after)
    assert looped.hex() == float(value).hex() == float(half).hex()
    print(f"{title}, {count:,} steps, 1 - x = {1 - looped!r}, same bits")
    print(f"  plain loop {loop_seconds:.3f} s   chain {seconds * 1e6:.1f} us")
    print(f"  1 / {loop_seconds / seconds:,.0f} of the loop's time")
    longer, long_seconds = jumped(factor, 10**17, 30)
    print(f"  1e17 steps {long_seconds * 1e6:.0f} us ({long_seconds / seconds:.1f} times as long)")
    return longer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10**8)
    count = parser.parse_args().count
    compare("one *= A / B", RATIO_LOOP, A / B, count)
    compare("one *= A; one /= B", PAIR_LOOP, [("multiply", A), ("divide", B)], count)
    began = time.perf_counter()
    last = np.multiply.reduce(np.broadcast_to(A / B, count), initial=1.0)
    seconds = time.perf_counter() - began
    assert last == chain(1.0, A / B, count).value
    print(f"np.multiply.reduce {seconds:.3f} s, same bits")


if __name__ == "__main__":
    main()
