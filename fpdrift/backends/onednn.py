"""oneDNN, which does TensorFlow's sums on a CPU: which instructions it may be held to."""

from __future__ import annotations

import re

#: What oneDNN may be told to use at most, oldest first (oneDNN's guide, "CPU dispatcher control"),
#: and by which flag Linux says that a processor has it.
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
    """Find in what oneDNN prints under ``ONEDNN_VERBOSE=1`` which instructions it uses."""
    found = re.search(r"\bcpu,isa:(.*)", verbose)
    return found[1].strip() if found else None


def obeys(asked: str, used: str) -> bool:
    """Return whether what oneDNN says that it uses is no newer than what it was told.

    Only the width of the instructions is compared: how oneDNN words the rest changes.
    """
    return _width(used.replace("-", "").replace(".", "")) <= _width(asked)


def _width(name: str) -> int:
    if "AVX512" in name or "AVX10" in name or "AMX" in name:
        return 3
    return 2 if "AVX2" in name else int("AVX" in name)
