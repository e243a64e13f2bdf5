"""A condition: settings outside the model that can change how its sums are rounded.

Most of them, such as thread counts and instruction sets, are fixed when a process starts. So a
condition is the environment of a fresh process and a few settings that are made first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from fpdrift import provenance
from fpdrift.backends import onednn
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.perturbation import Perturbation
from fpdrift.serialization import Result
from fpdrift.validation import check_choice, check_int, check_switch

#: Instruction sets that oneDNN can be limited to, oldest first.
INSTRUCTION_SETS = tuple(onednn.INSTRUCTION_SETS)
#: Keras' dtype policies: the dtype of the arithmetic; mixed policies keep weights in float32.
DTYPE_POLICIES = (
    *("float32", "float64", "float16", "bfloat16"),
    *("mixed_float16", "mixed_bfloat16"),
)
#: Supported Keras backends.
BACKENDS = ("tensorflow", "torch", "jax")
#: Settings that a backend supports besides dtype, seeds and nudge; TensorFlow supports all.
_SUPPORTED = {"torch": ("intra_op_threads", "inter_op_threads", "op_determinism"), "jax": ()}
MOST_THREADS = 1024
LARGEST_SEED = 2**32 - 1
_OWN_SEEDS = ("init_seed", "order_seed", "dropout_seed", "hash_seed")

#: Environment variables that the user may set: backend and device, and settings of NumPy, with
#: which no training computes.
_USERS = (
    *("JAX_PLATFORMS", "KERAS_BACKEND", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),
    *("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"),
)
#: Environment variables of the user's shell that would change a condition or shorten a run.
SWITCHES = (
    *(name for name in provenance.SWITCHES if name not in _USERS),
    *("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition(Result):
    """The condition of a run: settings outside the model that can change rounding.

    Two runs with the same seed under two conditions start from the same weights (cast to the
    dtype), use the same images in the same order and drop the same units: they differ only in
    arithmetic. None leaves a choice to the framework. Environment variables of the user's shell
    are ignored, except ``KERAS_BACKEND``, ``JAX_PLATFORMS`` and those of NumPy and OpenBLAS.

    Raises
    ------
    FpdriftError
        If a value is out of range or unknown.

    Examples
    --------
    >>> import fpdrift
    >>> fpdrift.Condition(intra_op_threads=2, onednn=False).name
    'threads=2, oneDNN off'
    """

    #: threads inside one operation, 1 to 1024
    intra_op_threads: int | None = None
    #: operations that may run in parallel, 1 to 1024
    inter_op_threads: int | None = None
    #: whether TensorFlow uses oneDNN's kernels
    onednn: bool | None = None
    #: newest instruction set that oneDNN's kernels may use, one of `INSTRUCTION_SETS`
    instruction_set: str | None = None
    #: whether TensorFlow or PyTorch guarantee the same bits in each run
    op_determinism: bool = False
    #: whether XLA compiles the step
    jit: bool = False
    #: dtype of arithmetic and weights, one of `DTYPE_POLICIES`
    dtype_policy: str = "float32"
    #: seed of the starting weights, the data order and dropout; 0 to 2**32 - 1
    seed: int = 1
    #: nudge of the starting weights
    perturbation: Perturbation | None = None
    #: separate seeds of weights, data order and dropout, instead of `seed`
    init_seed: int | None = None
    order_seed: int | None = None
    dropout_seed: int | None = None
    #: ``PYTHONHASHSEED`` of the process; None leaves it unset, so Python draws one
    hash_seed: int | None = None
    #: Keras backend, one of `BACKENDS`; None for that of ``KERAS_BACKEND``, or TensorFlow
    backend: str | None = None

    def __post_init__(self) -> None:
        for name in ("intra_op_threads", "inter_op_threads"):
            if getattr(self, name) is not None:
                object.__setattr__(
                    self, name, check_int(name, getattr(self, name), 1, MOST_THREADS)
                )
        for name in ("seed", *_OWN_SEEDS):
            if name == "seed" or getattr(self, name) is not None:
                object.__setattr__(
                    self, name, check_int(name, getattr(self, name), 0, LARGEST_SEED)
                )
        for name in ("onednn", "op_determinism", "jit"):
            check_switch(name, getattr(self, name), optional=name == "onednn")
        if self.instruction_set is not None:
            check_choice("instruction_set", self.instruction_set, INSTRUCTION_SETS)
        check_choice("dtype_policy", self.dtype_policy, DTYPE_POLICIES)
        if not isinstance(self.perturbation, Perturbation | None):
            message = (
                f"perturbation is {short_repr(self.perturbation)}; pass a Perturbation or None"
            )
            raise FpdriftError(message)
        if self.backend is not None:
            check_choice("backend", self.backend, BACKENDS)
            self.check_backend(self.backend)

    @property
    def name(self) -> str:
        """The settings that differ from the default, such as ``"threads=2, oneDNN off"``."""
        parts = (
            self.intra_op_threads and f"threads={self.intra_op_threads}",
            self.inter_op_threads and f"inter-op threads={self.inter_op_threads}",
            self.onednn is not None and f"oneDNN {'on' if self.onednn else 'off'}",
            self.instruction_set,
            self.op_determinism and "op determinism",
            self.jit and "XLA",
            self.dtype_policy != "float32" and self.dtype_policy,
            self.seed != 1 and f"seed={self.seed}",
            *(
                f"{name.replace('_', ' ')}={getattr(self, name)}"
                for name in _OWN_SEEDS
                if getattr(self, name) is not None
            ),
            self.perturbation and self.perturbation.label,
            self.backend and f"backend={self.backend}",
        )
        return ", ".join(part for part in parts if part) or "default"

    def __repr__(self) -> str:
        return f"Condition({self.name!r})"

    @property
    def file_name(self) -> str:
        """The name in at most 100 characters that every file system supports."""
        return re.sub(r"[^A-Za-z0-9.+-]+", "-", self.name)[:100].strip("-.")

    def seed_for(self, what: Literal["init", "order", "dropout"]) -> int:
        """Return the seed of the starting weights, the data order, or dropout."""
        own: int | None = getattr(self, f"{what}_seed")
        return self.seed if own is None else own

    @property
    def weight_dtype(self) -> str:
        """Dtype of the weights; mixed policies keep them in float32."""
        return "float32" if self.dtype_policy.startswith("mixed_") else self.dtype_policy

    def environment(self) -> dict[str, str | None]:
        """Return the changes to the environment of a fresh process; None removes a variable.

        Threads, op determinism, XLA and dtype are set by the process itself. All of `SWITCHES` that
        the condition does not set are removed.
        """
        changes: dict[str, str | None] = dict.fromkeys(SWITCHES)
        if self.onednn is not None:
            changes["TF_ENABLE_ONEDNN_OPTS"] = str(int(self.onednn))
        changes["ONEDNN_MAX_CPU_ISA"] = self.instruction_set
        if self.hash_seed is not None:
            changes["PYTHONHASHSEED"] = str(self.hash_seed)
        return changes

    def check_backend(self, backend: str) -> None:
        """Check that a Keras backend supports this condition.

        Raises
        ------
        FpdriftError
            If the condition has a setting that the backend does not support.
        """
        names = ("intra_op_threads", "inter_op_threads", "onednn", "instruction_set")
        chosen = [name for name in names if getattr(self, name) is not None]
        chosen += [name for name in ("op_determinism", "jit") if getattr(self, name)]
        refused = [name for name in chosen if name not in _SUPPORTED.get(backend, chosen)]
        if refused:
            message = f"{', '.join(refused)}: not supported on {backend}; choose another backend"
            raise FpdriftError(message)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values, without the backend if it is None.

        So the names of runs without a backend are the same as in older versions.
        """
        return {name: x for name, x in asdict(self).items() if name != "backend" or x is not None}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Create a condition from the result of `to_dict`; missing fields take their default.

        Raises
        ------
        FpdriftError
            If a field is unknown or its value is invalid.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(data, Mapping) or not set(data) <= set(known):
            message = f"not a condition: {short_repr(data)}; expected some of {', '.join(known)}"
            raise FpdriftError(message)
        nudge = data.get("perturbation")
        perturbation = None if nudge is None else Perturbation.from_dict(nudge)
        return cls(**{**data, "perturbation": perturbation})
