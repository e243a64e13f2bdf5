"""Draw curves whose law, or lack of one, is known, on the steps that a recorder keeps.

Floors and plateaus are joined to the growth in several ways, and noise comes in several strengths
and memories, up to none and to a random walk: what is looked for is not what the analysis assumes.
"""

from dataclasses import dataclass

import numpy as np

from fpdrift.records._format import DENSE_UP_TO, EVERY

LAWS = ("power", "exponential", "floor, power", "floor, exponential", "power, plateau",
        "exponential, plateau", "power, jumps", "exponential, jumps", "constant")  # fmt: skip
OTHERS = ("stretched exponential", "two powers", "power, then exponential", "saturating",
          "random walk", "power, wandering")  # fmt: skip
FAMILIES = LAWS + OTHERS
#: Logarithm of the size that a curve has where its law gives 1, but for the sign.
LIFT = 16


@dataclass(frozen=True, kw_only=True)
class Drawn:
    family: str
    steps: np.ndarray
    distances: np.ndarray
    #: the law's name; None where there is none
    law: str | None
    #: exponent or rate a step of a law that has one
    rate: float | None
    #: step behind each planted jump -> factor
    jumps: dict[int, float]
    #: standard deviation of the noise of the logarithm, and the steps that it remembers
    noise: float
    memory: float


def recorded_steps(last):
    return np.array([s for s in range(1, last + 1) if s <= DENSE_UP_TO or s % EVERY == 0])


def draw(rng, family):
    """Draw one curve of a family."""
    steps = recorded_steps(int(rng.choice([96, 200, 400, 1000])))
    t = steps.astype(float)
    growth, _, end = family.partition(", ") if family in LAWS else (family, "", "")
    if growth == "floor":
        growth, end = end, "floor"
    logs, rate = GROWTH[growth](rng, t)
    if end in ("floor", "plateau"):
        logs = level(rng, t, logs, end)
    jumps = jump(rng, steps) if end == "jumps" else {}
    for step, factor in jumps.items():
        logs = logs + np.log(factor) * (steps >= step)
    size, memory = 10 ** rng.uniform(-2.5, -0.5), float(rng.choice([0, 1, 3, 10, 30]))
    logs = logs + size * remembering(rng, t, memory)
    law = {"power": "power law", "constant": "flat"}.get(growth, growth)
    return Drawn(
        family=family, steps=steps, distances=np.exp(logs - LIFT), jumps=jumps, noise=size,
        law=law if family in LAWS else None, rate=rate if family in LAWS else None, memory=memory,
    )  # fmt: skip


def power(rng, t):
    rate = rng.uniform(0.5, 3)
    return rate * np.log(t), rate


def exponential(rng, t):
    rate = rng.uniform(3, 14) / t[-1]
    return rate * t, rate


def constant(_, t):
    return np.zeros(len(t)), None


def stretched(rng, t):
    return rng.uniform(3, 14) * (t / t[-1]) ** rng.uniform(0.25, 0.7), None


def two_powers(rng, t):
    """Change the exponent by a factor of 2 or more, in the middle third of the decades."""
    low, factor = rng.uniform(0.3, 1.2), rng.uniform(2, 5)
    first, second = rng.permutation([low, low * factor])
    knee = np.exp(rng.uniform(1 / 3, 2 / 3) * np.log(t[-1]))
    x = np.log(t / knee)
    return np.where(x < 0, first * x, second * x), None


def power_then_exponential(rng, t):
    knee = rng.uniform(0.1, 0.5) * t[-1]
    early = rng.uniform(0.5, 3) * np.log(np.minimum(t, knee))
    return early + rng.uniform(4, 10) * np.maximum(t - knee, 0) / (t[-1] - knee), None


def saturating(rng, t):
    return np.log(-np.expm1(-t / (rng.uniform(0.1, 0.5) * t[-1]))), None


def random_walk(rng, t):
    shocks = rng.normal(size=len(t)) * np.sqrt(np.diff(t, prepend=0))
    return rng.uniform(0.02, 0.3) * np.cumsum(shocks), None


def wandering(rng, t):
    """Add a random walk to a power law: no one could tell the two apart."""
    return power(rng, t)[0] + random_walk(rng, t)[0], None


GROWTH = {
    "power": power,
    "exponential": exponential,
    "constant": constant,
    "stretched exponential": stretched,
    "two powers": two_powers,
    "power, then exponential": power_then_exponential,
    "saturating": saturating,
    "random walk": random_walk,
    "power, wandering": wandering,
}


def level(rng, t, logs, end):
    """Join a floor or a plateau to a growth: added, added as squares, or the larger (smaller)."""
    sign = 1 if end == "floor" else -1
    place = rng.uniform(0.1, 0.3) if end == "floor" else rng.uniform(0.5, 0.7)
    height = np.interp(place * t[-1], t, logs)
    power = rng.choice([1, 2, np.inf])
    if np.isinf(power):
        return sign * np.maximum(sign * logs, sign * height)
    return sign * np.logaddexp(sign * power * logs, sign * power * height) / power


def jump(rng, steps):
    places = rng.choice(np.arange(6, len(steps) - 6, 6), size=rng.integers(1, 4), replace=False)
    return {int(steps[i]): float(10 ** rng.uniform(0.6, 3)) for i in places}


def remembering(rng, t, memory):
    """Draw noise that keeps 1/e of itself for so many steps (AR(1)); a quarter has heavy tails."""
    shocks = rng.standard_t(5, len(t)) if rng.random() < 0.25 else rng.normal(size=len(t))
    values = shocks.copy()
    for i, gap in enumerate(np.diff(t), 1):
        keep = np.exp(-gap / memory) if memory else 0.0
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * shocks[i]
    return values


def verdict(drawn, found):
    """Say whether what was concluded of a curve is right, "cannot tell" or wrong.

    A bend is what curves without a law do, but for random walks: those have no shape that could be
    told. A saturating curve begins as a power law of exponent 1 and ends in a plateau, so to find
    both, of the right size, is right too.
    """
    if found.kind == "cannot tell":
        return "cannot tell"
    if drawn.family == "saturating" and found.kind == "power law" and found.plateau is not None:
        level = found.plateau.distance / np.exp(-LIFT)
        return "right" if abs(found.trend.rate - 1) < 0.15 and abs(level - 1) < 0.15 else "wrong"
    if drawn.family in ("random walk", "power, wandering"):
        return "wrong"
    return "right" if found.kind == (drawn.law or "bends") else "wrong"


def is_false_law(drawn, found):
    """Say whether a law with a rate was named that the curve does not follow."""
    return found.trend.rate is not None and verdict(drawn, found) == "wrong"
