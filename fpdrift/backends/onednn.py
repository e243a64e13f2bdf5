"""The instruction sets of oneDNN, which computes TensorFlow's sums on a CPU."""

from __future__ import annotations

import re

#: Values of ONEDNN_MAX_CPU_ISA, oldest first (oneDNN's guide, "CPU dispatcher control"), and the
#: Linux flag of a processor that supports each.
INSTRUCTION_SETS = {
    "SSE41": "sse4_1",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX2_VNNI": "avx_vnni",
    "AVX2_VNNI_2": "avx_vnni_int8",
    "AVX512_CORE": "avx512bw",
    "AVX512_CORE_VNNI": "avx512_vnni",
    "AVX512_CORE_BF16": "avx512_bf16",
    "AVX512_CORE_FP16": "avx512_fp16",
    "AVX512_CORE_AMX": "amx_tile",
    "AVX512_CORE_AMX_FP16": "amx_fp16",
}


def instructions_named(verbose: str) -> str | None:
    """Return the instruction set that oneDNN prints under ``ONEDNN_VERBOSE=1``, or None."""
    found = re.search(r"\bcpu,isa:(.*)", verbose)
    return found[1].strip() if found else None


def obeys(asked: str, used: str) -> bool:
    """Return whether the instruction set that oneDNN reports is not newer than the requested one.

    Only the width of the instructions is compared, because the rest of oneDNN's wording changes.
    """
    return _width(used.replace("-", "").replace(".", "")) <= _width(asked)


def _width(name: str) -> int:
    if "AVX512" in name or "AVX10" in name or "AMX" in name:
        return 3
    return 2 if "AVX2" in name else int("AVX" in name)
