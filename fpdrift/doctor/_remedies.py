"""What each cause does, what to change in the script, and what the linter calls it."""

from __future__ import annotations

from collections.abc import Iterable

#: Kind of cause -> how it makes runs differ, and what to do.
REMEDIES: dict[str, tuple[str, str]] = {
    "unseeded generator": (
        "Without a seed, a generator starts from the operating system's randomness.",
        "Call keras.utils.set_random_seed(0) before the data and the model are made; give "
        "generators of your own a seed, as in numpy.random.default_rng(0).",
    ),
    "varying seed": (
        "The seed differs from run to run, so everything drawn after it does too.",
        "Use a constant, or take the seed as an argument and print it.",
    ),
    "hash order": (
        "Python randomizes the hashes of strings at every start, and with them the order of sets.",
        "Iterate over sorted(...); use zlib.crc32 in place of hash. Or set PYTHONHASHSEED=0 in "
        "the shell, before Python starts.",
    ),
    "parallel data": (
        "Parallel calls draw random numbers, or deliver their results, in the order in which "
        "they happen to run.",
        "Draw with stateless functions whose seeds come from the element's number, or map without "
        "num_parallel_calls, with deterministic=True and one worker.",
    ),
    "thread race": (
        "Results are taken in the order in which threads finish.",
        "Take them in the order of the tasks: executor.map, pool.map, or sort the results.",
    ),
    "outside input": (
        "The clock or the number of the process enters the computation.",
        "Count steps in place of seconds, and take values from the script's arguments.",
    ),
    "left-over file": (
        "A run goes on from a file that an earlier run has left.",
        "Delete the file first, write into a new folder, or ask explicitly for a resumed training.",
    ),
    "nondeterministic operation": (
        "The order in which threads add differs from run to run, and so does the rounding.",
        "Call tf.config.experimental.enable_op_determinism() after the seed.",
    ),
}

#: Kind of cause -> beginnings of the codes of lint rules that find it.
CODES: dict[str, tuple[str, ...]] = {
    "unseeded generator": ("FPD001", "FPD002", "FPD003", "FPD004", "FPD005", "FPD007", "FPD1"),
    "varying seed": ("FPD006",),
    "hash order": ("FPD201", "FPD202", "FPD301", "FPD302"),
    "parallel data": ("FPD4",),
    "thread race": ("FPD204", "FPD008"),
    "outside input": ("FPD205",),
    "left-over file": (),
    "nondeterministic operation": ("FPD304", "FPD305", "FPD31"),
}

#: Intervention -> what it changes, in words.
CHANGES: dict[str, str] = {
    "python seed": "Python's random seeded",
    "numpy seed": "NumPy's global generator seeded",
    "generator seeds": "new generators seeded",
    "tensorflow seed": "TensorFlow seeded",
    "fixed entropy": "the system's random bytes fixed",
    "pinned seeds": "the seeds of run 1 and a fixed clock",
    "serial data": "serial data pipelines",
    "ordered threads": "threads one after another",
    "hash seed": "PYTHONHASHSEED=0",
    "fixed clock": "a fixed clock",
    "op determinism": "op determinism",
    "one thread": "one thread",
    "one ulp": "one weight moved by one ulp",
    "another seed": "another seed",
}


def changes(interventions: Iterable[str]) -> str:
    """Describe interventions."""
    return ", ".join(CHANGES[name] for name in interventions)
