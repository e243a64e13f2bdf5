"""Draw curves of distance whose growth is known, on the steps that a recorder keeps.

Floor and plateau are blended in smoothly, and noise is correlated in time: what is looked for is
not what the analysis assumes.
"""

from dataclasses import dataclass

import numpy as np

from fpdrift.records.schedule import DENSE_UP_TO, EVERY

KINDS = ("none", "flat", "power law", "exponential")


@dataclass(frozen=True, kw_only=True)
class Curve:
    kind: str
    steps: np.ndarray
    distances: np.ndarray
    #: index of the first point after each jump -> factor
    jumps: dict[int, float]
    floor: bool
    plateau: bool
    #: exponent or rate a step; None where there is none
    rate: float | None


def draw_curve(rng, kind=None, *, most_jumps=3):
    """Draw a curve of a kind, or of any; at least as long as 100 steps of training."""
    kind = str(rng.choice(KINDS)) if kind is None else kind
    last = int(rng.choice([96, 104, 200, 400]))
    steps = np.array([s for s in range(last + 1) if s <= DENSE_UP_TO or s % EVERY == 0])
    if rng.random() < 0.2:
        steps = np.arange(101)
    if kind == "none":
        return Curve(
            kind=kind,
            steps=steps,
            distances=np.zeros(len(steps)),
            jumps={},
            floor=False,
            plateau=False,
            rate=None,
        )
    parts = rng.random(2) < 0.2 if kind != "flat" else (False, False)
    logs, rate = trend(rng, kind, steps, *parts)
    jumps = draw_jumps(rng, len(steps), most_jumps)
    for index, factor in jumps.items():
        logs[index:] += np.log(factor)
    distances = np.exp(logs + noise(rng, steps))
    if rng.random() < 0.5:
        distances[0] = 0  # equal before the first step
    return Curve(
        kind=kind,
        steps=steps,
        distances=distances,
        jumps=jumps,
        floor=bool(parts[0]),
        plateau=bool(parts[1]),
        rate=rate,
    )


def trend(rng, kind, steps, floor, plateau):
    """Give the logarithm of a distance that follows its law, with a floor, a plateau or both."""
    start = np.log(10 ** rng.uniform(-9, -5))
    if kind == "flat":
        return np.full(len(steps), start), None
    since = np.maximum(steps, 0.5)
    last = steps[-1]
    if kind == "power law":
        rate = rng.uniform(0.5, 3)
        logs = rate * np.log(since)
    else:
        rate = rng.uniform(3, 14) / last
        logs = rate * since
    low, high = np.interp(
        [rng.uniform(0.1, 0.25) * last, rng.uniform(0.6, 0.8) * last], steps, logs
    )
    if floor:
        logs = np.logaddexp(2 * logs, 2 * low) / 2
    if plateau:
        logs = -np.logaddexp(-4 * logs, -4 * high) / 4
    return start + logs, rate


def draw_jumps(rng, n, most):
    count = int(rng.integers(most + 1)) if rng.random() < 0.5 else 0
    places = []
    for place in rng.permutation(np.arange(5, n - 4))[: 20 * count]:
        if len(places) < count and all(abs(place - other) >= 6 for other in places):
            places.append(int(place))
    return {place: float(10 ** rng.uniform(0.5, 3)) for place in sorted(places)}


def noise(rng, steps):
    """Draw noise that forgets itself in 0 to 10 steps; a quarter of it has heavy tails."""
    size, forget = 10 ** rng.uniform(-2.3, -0.8), rng.uniform(0, 10)
    heavy = rng.random() < 0.25
    shock = rng.standard_t(5, len(steps)) if heavy else rng.normal(size=len(steps))
    values = np.empty(len(steps))
    values[0] = shock[0]
    for i in range(1, len(steps)):
        keep = np.exp(-(steps[i] - steps[i - 1]) / forget) if forget > 0.2 else 0.0
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * shock[i]
    return size * values
