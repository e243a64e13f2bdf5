"""Describe what produced a result: versions, processor, threads, switches and code.

The reader of a result has to be able to see whether a difference comes from the machine. Anything
that identifies a person (user, host, paths) is left out on purpose.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.text import plural

#: Libraries whose version can change a rounding.
PACKAGES = ("numpy", "scipy", "ml_dtypes", "keras", "tensorflow", "torch", "jax", "scikit-learn")

#: Environment variables that can change a rounding; no others are recorded.
SWITCHES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_DISABLE_JIT",
    "JAX_DISABLE_MOST_OPTIMIZATIONS",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "KERAS_BACKEND",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "XLA_FLAGS",
)

#: Instruction sets that determine into how many lanes a sum is split.
_VECTOR = ("sse4_2", "avx", "fma", "avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The machine, versions and code that produced a result."""

    fpdrift: str
    #: digest of fpdrift's own source, so that two edits of one version differ
    code: str
    python: str
    #: operating system and processor architecture, such as ``"Linux x86_64"``
    system: str
    cpu: str
    cpu_features: tuple[str, ...]
    #: processors this process may use
    cores: int
    packages: dict[str, str] = field(default_factory=dict)
    switches: dict[str, str] = field(default_factory=dict)
    #: the device that trained, or the accelerator that sums were measured on: its name, or
    #: ``"CPU"``; None if it was not determined
    device: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Provenance:
        """Return the provenance that `to_dict` described.

        Raises
        ------
        FpdriftError
            If a field is missing, unknown or of the wrong type.
        """
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or set(data) != names:
            message = f"not a provenance: expected the fields {sorted(names)}"
            raise FpdriftError(message)
        texts = ("fpdrift", "code", "python", "system", "cpu")
        maps = ("packages", "switches")
        fine = (
            all(isinstance(data[name], str) for name in texts)
            and all(isinstance(data[name], dict) for name in maps)
            and all(isinstance(v, str) for name in maps for v in data[name].values())
            and isinstance(data["cpu_features"], list | tuple)
            and all(isinstance(v, str) for v in data["cpu_features"])
            and type(data["cores"]) is int
            and isinstance(data["device"], str | None)
        )
        if not fine:
            message = "not a provenance: a field has the wrong type"
            raise FpdriftError(message)
        return cls(**{**data, "cpu_features": tuple(data["cpu_features"])})


def describe_machine(by: Provenance) -> str:
    """Return a sentence about the machine, versions and fpdrift code behind a result."""
    where = [by.cpu, plural(by.cores, "core"), by.system, *([by.device] if by.device else [])]
    with_ = [by.python, *(f"{name} {version}" for name, version in by.packages.items())]
    switched = [f"{name}={value}" for name, value in by.switches.items()]
    parts = (where, [*with_, *switched], [f"fpdrift {by.fpdrift}, code {by.code}"])
    return f"Measured on {'; '.join(', '.join(part) for part in parts)}."


@cache
def current() -> Provenance:
    """Return the provenance of this process, determined once."""
    model, features = _processor()
    return Provenance(
        fpdrift=fpdrift.__version__,
        code=code_version(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        cpu=model,
        cpu_features=features,
        cores=available_cores(),
        packages=_versions(),
        switches={
            name: _without_paths(os.environ[name]) for name in SWITCHES if name in os.environ
        },
    )


@cache
def code_version() -> str:
    """Return a digest of fpdrift's own Python files; equal digests mean equal code."""
    root = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def available_cores() -> int:
    """Return the number of processors that this process may use (not the machine's)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def cpu_flags() -> frozenset[str]:
    """Return what Linux says that the processor has, such as ``avx2``; elsewhere nothing."""
    info = _cpuinfo()
    return frozenset((info.get("flags") or info.get("Features") or "").split())


def _processor() -> tuple[str, tuple[str, ...]]:
    """Return the model and vector instruction sets, as far as the system reports them."""
    if sys.platform != "linux":
        return platform.processor() or "unknown", ()
    flags = cpu_flags()
    return _cpuinfo().get("model name", "unknown"), tuple(f for f in _VECTOR if f in flags)


def _cpuinfo() -> dict[str, str]:
    """Read what Linux says of the first processor; a container may hide it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    info: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    return info


def _without_paths(value: str) -> str:
    """Drop the words of a variable's value that name a path on this machine.

    A quoted path may contain a space, and the path of an XLA dump need not contain a slash.
    """
    if "'" in value or '"' in value:
        return ""
    return " ".join(w for w in value.split() if not any(c in w for c in ("/", "\\", "_to=")))
