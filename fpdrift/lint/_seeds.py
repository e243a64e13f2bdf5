"""FPD0: seeds and global generators."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fpdrift.lint._randomness import (
    DETERMINISM,
    SEEDERS,
    builds_layers,
    draws,
    is_unseeded_training,
    seeded,
    seeds,
)
from fpdrift.lint._rule import Fix, Hit, rule
from fpdrift.lint._trace import Event, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARYING = re.compile(
    r"time\.(time|time_ns|perf_counter|perf_counter_ns|monotonic)\(\)|os\.(getpid|urandom)\(\)"
    r"|uuid\.uuid[14]\(\)|secrets\.\w+\(\)|datetime\.(datetime\.)?(now|utcnow|today)\(\)"
)
_GENERATORS = {
    "numpy.random.default_rng": "0",
    "numpy.random.RandomState": "0",
    "numpy.random.SeedSequence": "0",
    "numpy.random.PCG64": "0",
    "numpy.random.MT19937": "0",
    "numpy.random.Philox": "0",
    "numpy.random.SFC64": "0",
    "random.Random": "0",
    "keras.random.SeedGenerator": "0",
}
_POOLS = re.compile(
    r"(multiprocessing\.Pool|concurrent\.futures\.(Thread|Process)PoolExecutor)\(\)"
    r"\.(map|starmap|imap|imap_unordered|map_async|starmap_async|apply_async|submit)"
    r"|threading\.Thread|joblib\.delayed"
)


def written(node: ast.AST) -> str:
    """Return a call's function as the script writes it."""
    if isinstance(node, ast.Call):
        text = ast.unparse(node.func)
        return text if len(text) <= 40 else f"...{text[-37:]}"
    return short(node)


def short(node: ast.AST) -> str:
    """Return the beginning of a piece of code, in one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


@rule(
    "FPD001",
    "no-seed",
    "{found} trains a model, but nothing in this file sets a seed",
    reason="Initial weights, shuffling and dropout differ from run to run.",
    remedy="Call keras.utils.set_random_seed(0) before creating the model and the data.",
)
def no_seed(trace: Trace) -> Iterator[Hit]:
    event = is_unseeded_training(trace)
    if event:
        yield Hit(event.node, written(event.node))


@rule(
    "FPD002",
    "python-random-unseeded",
    "{found} does not seed Python's random module, from which Keras draws its default seeds",
    reason="Keras 3 draws the default seed of initialisers, dropout and SeedGenerator from "
    "Python's random module; seeding NumPy and TensorFlow does not affect it.",
    remedy="Call keras.utils.set_random_seed(0), which seeds all three.",
)
def python_random_unseeded(trace: Trace) -> Iterator[Hit]:
    calls = trace.calls()
    setting = next((event for event in calls if seeds(event)), None)
    layers = any(event.reached and builds_layers(event) for event in calls)
    if setting and layers and "Python" not in seeded(trace) and not trace.imports("tf_keras"):
        yield Hit(setting.node, written(setting.node))


@rule(
    "FPD003",
    "seed-after-use",
    "{found} is called after its generator has been used",
    reason="A seed determines only the numbers drawn after it.",
    remedy="Set the seeds first, right after the imports.",
)
def seed_after_use(trace: Trace) -> Iterator[Hit]:
    calls = [event for event in trace.calls() if event.reached]
    used: set[str] = set()
    done: set[str] = set()
    drawn = {draw.event.index: draw.generator for draw in draws(calls)}
    for event in calls:
        if event.index in drawn:
            used.add(drawn[event.index])
        elif builds_layers(event) and "?" not in event.name:
            used.add("Python")
        late = (seeds(event) & used) - done
        if late and event.name in SEEDERS:
            yield Hit(event.node, written(event.node))
        done |= seeds(event)


@rule(
    "FPD004",
    "global-generator-unseeded",
    "{found} draws from a global generator that nothing in this file seeds",
    reason="Without a seed the generator is seeded by the operating system.",
    remedy="Seed it at the start, or draw from numpy.random.default_rng(0).",
)
def global_generator_unseeded(trace: Trace) -> Iterator[Hit]:
    if is_unseeded_training(trace):
        return  # FPD001 says so for the whole script
    known = set(seeded(trace))
    if trace.calls(DETERMINISM):
        known.add("TensorFlow")  # an unseeded draw raises: FPD306 says so
    for draw in draws(event for event in trace.calls() if event.reached):
        if draw.generator not in known:
            known.add(draw.generator)  # one finding for each generator
            yield Hit(draw.event.node, written(draw.event.node))


@rule(
    "FPD005",
    "generator-unseeded",
    "{found} creates a generator without a seed",
    reason="Global seeds do not affect it: without an argument it starts from the operating "
    "system's randomness.",
    remedy="Pass a seed, as in numpy.random.default_rng(0).",
    fixable=True,
)
def generator_unseeded(trace: Trace) -> Iterator[Hit]:
    python = "Python" in seeded(trace)
    for event in trace.calls():
        seed = event.argument(0, "seed", "x", "entropy")
        if event.name == "tensorflow.random.Generator.from_non_deterministic_state":
            yield Hit(event.node, written(event.node))
        elif event.name in _GENERATORS and (seed is None or seed.constant() is None):
            follows = event.name.startswith("keras") and (python or not event.reached)
            if not follows and not _is_default(trace, event) and "**" not in event.keywords:
                fix = Fix("argument", _GENERATORS[event.name]) if seed is None else None
                yield Hit(event.node, written(event.node), fix)


def _is_default(trace: Trace, event: Event) -> bool:
    """Return whether a generator stands in for one that the caller may pass."""
    node: ast.AST | None = event.node
    while node is not None and not isinstance(node, ast.FunctionDef):
        if isinstance(node, ast.BoolOp | ast.IfExp | ast.If):
            return True
        node = trace.parent.get(node)
    return False


@rule(
    "FPD006",
    "varying-seed",
    "{found} gets a different seed in every run",
    reason="The clock, the process ID and the system's random numbers differ from run to run.",
    remedy="Use a constant, or print the seed and accept it as an argument.",
)
def varying_seed(trace: Trace) -> Iterator[Hit]:
    printed = {
        ast.unparse(part)
        for event in trace.calls()
        if event.name == "builtins.print" or "log" in event.name or "write" in event.name
        for part in ast.walk(event.node)
        if isinstance(part, ast.Name)
    }
    for event in trace.calls():
        takes = event.name in SEEDERS or event.name in _GENERATORS
        given = [event.args[0]] if takes and event.args else []
        given += [v for k, v in event.keywords.items() if k in {"seed", "random_state"}]
        if any(_VARYING.search(" ".join(value.mentions)) for value in given):
            parts = (*event.node.args, *(word.value for word in event.node.keywords))  # type: ignore[attr-defined]
            if not printed & {part.id for part in parts if isinstance(part, ast.Name)}:
                yield Hit(event.node, written(event.node))


@rule(
    "FPD007",
    "seed-without-value",
    "{found} without a value seeds from the operating system",
    reason="Without an argument, or with None, the call draws a new seed in every run.",
    remedy="Pass an integer.",
    fixable=True,
)
def seed_without_value(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls("random.seed", "numpy.random.seed"):
        seed = event.argument(0, "a", "seed")
        if seed is None and not event.keywords:
            yield Hit(event.node, written(event.node), Fix("argument", "0"))
        elif seed is not None and seed.constant() is None:
            yield Hit(event.node, written(event.node))


@rule(
    "FPD008",
    "draws-in-workers",
    "{found} runs, in several workers, a function that uses a global generator",
    reason="Threads share one generator and use it in the order in which they run; forked "
    "processes start with copies of the same state.",
    remedy="Give each task its own generator, from numpy.random.SeedSequence(0).spawn(n).",
    lesson="04_threads.ipynb",
)
def draws_in_workers(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if _POOLS.fullmatch(event.name):
            inside = trace.inside(event.node)
            if draws(inside) and not any(map(seeds, inside)):
                yield Hit(event.node, written(event.node))
