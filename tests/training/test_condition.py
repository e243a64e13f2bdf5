"""A condition is checked, named, and makes the same process whatever the user's shell holds."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpdrift
from fpdrift import provenance
from fpdrift.errors import FpdriftError
from fpdrift.perturbation import Perturbation
from fpdrift.subprocesses import run_module
from fpdrift.training._condition import DTYPE_POLICIES, INSTRUCTION_SETS, SWITCHES, Condition

CHECK = pytest.mark.check
OWN_SEEDS = ("init_seed", "order_seed", "dropout_seed", "hash_seed")
THREADS = st.none() | st.integers(1, 1024)
CONDITIONS = st.builds(
    Condition,
    intra_op_threads=THREADS,
    inter_op_threads=THREADS,
    onednn=st.none() | st.booleans(),
    instruction_set=st.none() | st.sampled_from(INSTRUCTION_SETS),
    op_determinism=st.booleans(),
    jit=st.booleans(),
    dtype_policy=st.sampled_from(DTYPE_POLICIES),
    seed=st.integers(0, 2**32 - 1),
    **dict.fromkeys(OWN_SEEDS, st.none() | st.integers(0, 2**32 - 1)),
    perturbation=st.sampled_from(
        [
            None,
            Perturbation(kind="noise"),
            Perturbation(kind="ulp", tensor="conv1/kernel", index=(0, 1, 0, 2), steps=-1),
            Perturbation(kind="bit", tensor="dense2/bias", index=3, bit=31),
        ]
    ),
)


@pytest.mark.parametrize(
    ("settings", "name", "file_name"),
    [
        ({}, "default", "default"),
        ({"intra_op_threads": 1}, "threads=1", "threads-1"),
        (
            {"intra_op_threads": 2, "perturbation": Perturbation(kind="noise")},
            "threads=2, nudge 1e-08 on 0.5",
            "threads-2-nudge-1e-08-on-0.5",
        ),
        (
            {"inter_op_threads": 3, "onednn": False, "instruction_set": "AVX2"},
            "inter-op threads=3, oneDNN off, AVX2",
            "inter-op-threads-3-oneDNN-off-AVX2",
        ),
        (
            {"onednn": True, "op_determinism": True, "jit": True},
            "oneDNN on, op determinism, XLA",
            "oneDNN-on-op-determinism-XLA",
        ),
        ({"dtype_policy": "float64", "seed": 0}, "float64, seed=0", "float64-seed-0"),
        (
            {"seed": 2, "init_seed": 0, "order_seed": 1, "dropout_seed": 3, "hash_seed": 4},
            "seed=2, init seed=0, order seed=1, dropout seed=3, hash seed=4",
            "seed-2-init-seed-0-order-seed-1-dropout-seed-3-hash-seed-4",
        ),
        (
            {"backend": "torch", "intra_op_threads": 2},
            "threads=2, backend=torch",
            "threads-2-backend-torch",
        ),
    ],
)
def test_name_is_what_differs_from_the_default(settings, name, file_name):
    condition = Condition(**settings)
    assert condition.name == name
    assert condition.file_name == file_name


@given(CONDITIONS, CONDITIONS)
def test_name_tells_conditions_apart(a, b):
    assert (a.name == b.name) == (a == b)


@given(CONDITIONS)
def test_file_name_is_safe(condition):
    assert re.fullmatch(r"[A-Za-z0-9+][A-Za-z0-9.+-]{0,98}[A-Za-z0-9+]", condition.file_name)


def test_file_name_of_an_endless_tensor_name_is_short():
    nudge = Perturbation(kind="ulp", tensor="../" * 1000, index=0)
    assert len(Condition(perturbation=nudge).file_name) <= 100


@given(CONDITIONS)
def test_round_trips(condition):
    assert Condition.from_dict(json.loads(json.dumps(condition.to_dict()))) == condition
    assert Condition.from_json(condition.to_json()) == condition


def test_repr_is_the_name():
    nudged = Condition(intra_op_threads=2, perturbation=Perturbation(kind="noise"))
    assert repr(nudged) == "Condition('threads=2, nudge 1e-08 on 0.5')"
    assert repr(Condition()) == "Condition('default')"


def test_is_frozen_and_public():
    assert fpdrift.Condition is Condition
    with pytest.raises(dataclasses.FrozenInstanceError):
        Condition().seed = 2


def test_numpy_integers_become_plain():
    condition = Condition(seed=np.uint8(7), intra_op_threads=np.int64(2))
    assert condition == Condition(seed=7, intra_op_threads=2)
    assert type(condition.seed) is int


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"intra_op_threads": 0}, "intra_op_threads is 0; choose a whole number from 1 to 1024"),
        ({"intra_op_threads": -1}, "intra_op_threads is -1"),
        ({"inter_op_threads": 10**9}, "inter_op_threads is 1000000000"),
        ({"inter_op_threads": True}, "inter_op_threads is True"),
        ({"intra_op_threads": 2.0}, "intra_op_threads is 2.0"),
        ({"intra_op_threads": "2"}, "intra_op_threads is '2'"),
        ({"seed": -1}, "seed is -1; choose a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"seed": 10**5000}, "seed is an integer of thousands of digits; choose a whole"),
        ({"seed": None}, "seed is None"),
        ({"init_seed": -1}, "init_seed is -1; choose a whole number from 0 to 4294967295"),
        ({"order_seed": 2**32}, "order_seed is 4294967296; choose a whole number from 0"),
        ({"dropout_seed": 1.0}, "dropout_seed is 1.0; choose a whole number from 0"),
        ({"hash_seed": True}, "hash_seed is True; choose a whole number from 0"),
        ({"hash_seed": "random"}, "hash_seed is 'random'; choose a whole number from 0"),
        ({"onednn": 1}, "onednn is 1; choose True, False or None"),
        ({"op_determinism": None}, "op_determinism is None; choose True or False"),
        ({"jit": "auto"}, "jit is 'auto'; choose True or False"),
        ({"instruction_set": "AVX9"}, "unknown instruction_set 'AVX9'; choose one of SSE41, AVX"),
        ({"instruction_set": ["AVX"]}, "unknown instruction_set"),
        ({"dtype_policy": "float8"}, "unknown dtype_policy 'float8'; choose one of float32"),
        ({"dtype_policy": None}, "unknown dtype_policy None"),
        ({"perturbation": 1e-8}, "perturbation is 1e-08; pass a Perturbation or None"),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings, text):
    with pytest.raises(FpdriftError) as caught:
        Condition(**settings)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("data", [None, 3, {"threads": 1}, {"perturbation": 3}, [("seed", 1)]])
def test_bad_descriptions_are_refused(data):
    with pytest.raises(FpdriftError):
        Condition.from_dict(data)


def test_environment_leaves_nothing_to_the_shell():
    default = Condition().environment()
    assert default == dict.fromkeys(SWITCHES)
    assert {"TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "PYTHONHASHSEED"} <= set(default)
    others = {"JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"}
    assert others <= set(default)
    # what may change a rounding is either kept out or the user's choice, and then recorded
    left = set(provenance.SWITCHES) - set(default)
    assert {name.partition("_")[0] for name in left} == {"KERAS", "JAX", "NPY", "OPENBLAS"}
    assert {name for name in left if name.startswith("JAX")} == {"JAX_PLATFORMS"}
    capped = Condition(onednn=False, instruction_set="AVX2").environment()
    changed = {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert capped == default | changed
    assert Condition(onednn=True).environment() == default | {"TF_ENABLE_ONEDNN_OPTS": "1"}


@pytest.mark.parametrize(
    "settings",
    [
        {"intra_op_threads": 1},
        {"inter_op_threads": 1},
        {"onednn": False},
        {"instruction_set": "AVX"},
        {"op_determinism": True},
        {"jit": True},
    ],
)
def test_other_backends_are_refused_what_only_tensorflow_has(settings):
    condition = Condition(**settings)
    condition.check_backend("tensorflow")
    with pytest.raises(FpdriftError, match=f"{next(iter(settings))}: not supported on jax"):
        condition.check_backend("jax")
    with pytest.raises(FpdriftError, match="not supported on jax"):
        dataclasses.replace(condition, backend="jax")


@pytest.mark.parametrize("name", ["onednn", "instruction_set", "jit"])
def test_pytorch_has_threads_and_determinism_alone(name):
    told = {"intra_op_threads": 1, "inter_op_threads": 1, "op_determinism": True}
    Condition(backend="torch", **told)
    value = "AVX" if name == "instruction_set" else True
    with pytest.raises(FpdriftError, match=f"^{name}: not supported on torch"):
        Condition(backend="torch", **told, **{name: value})


def test_a_backend_that_is_left_open_is_not_written_down():
    open_ = Condition(seed=3)
    assert "backend" not in open_.to_dict()
    assert Condition.from_dict(open_.to_dict()) == open_
    chosen = Condition(seed=3, backend="jax")
    assert Condition.from_dict(chosen.to_dict()) == chosen != open_
    with pytest.raises(FpdriftError, match="unknown backend 'theano'; choose one of tensorflow"):
        Condition(backend="theano")


def test_other_backends_may_have_another_dtype_seed_and_nudge():
    nudge = Perturbation(kind="noise")
    condition = Condition(dtype_policy="float64", seed=3, perturbation=nudge)
    for backend in ("torch", "jax"):
        condition.check_backend(backend)
        with pytest.raises(FpdriftError, match=r"^jit: not supported on"):
            dataclasses.replace(condition, jit=True).check_backend(backend)


@given(CONDITIONS)
def test_a_seed_of_its_own_goes_before_the_seed(condition):
    for what in ("init", "order", "dropout"):
        own = getattr(condition, f"{what}_seed")
        assert condition.seed_for(what) == (condition.seed if own is None else own)


def test_numpy_seeds_become_plain():
    condition = Condition(**dict.fromkeys(OWN_SEEDS, np.uint8(0)))
    assert condition == Condition(init_seed=0, order_seed=0, dropout_seed=0, hash_seed=0)
    assert [type(getattr(condition, name)) for name in OWN_SEEDS] == [int] * 4


@pytest.mark.parametrize("seed", [None, 0, 7, 2**32 - 1])
def test_hash_seed_is_in_the_environment(seed):
    environment = Condition(hash_seed=seed).environment()
    assert environment["PYTHONHASHSEED"] == (None if seed is None else str(seed))


@pytest.mark.parametrize("seed", [None, *(pytest.param(k, marks=CHECK) for k in (0, 7)), 2**32 - 1])
def test_hash_seed_reaches_the_process(seed, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    environment = Condition(hash_seed=seed).environment()
    told = [
        run_module("fpdrift.experiments._hash_worker", {"late": {}, "text": "a"}, env=environment)
        for _ in range(2)
    ]
    assert (told[0] == told[1]) == (seed is not None)
