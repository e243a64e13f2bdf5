"""Each seed draws one thing, and that thing alone."""

import pytest
from helpers import require

from fpdrift.drift import compare
from fpdrift.process import run_module
from fpdrift.records import open_record
from fpdrift.training.condition import Condition

pytestmark = pytest.mark.slow

RUNS = {
    "base": Condition(),
    "init": Condition(init_seed=2),
    "order": Condition(order_seed=2),
    "dropout": Condition(dropout_seed=2),
    # another seed, and the other two things as before
    "init as well": Condition(seed=2, order_seed=1, dropout_seed=1),
    "order as well": Condition(seed=2, init_seed=1, dropout_seed=1),
    "dropout as well": Condition(seed=2, init_seed=1, order_seed=1),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    require("tensorflow")
    require("sklearn")
    folder = tmp_path_factory.mktemp("seeds")
    tasks = [
        {
            "condition": condition.to_dict(),
            "network": "question",
            "data": "digits",
            "labels": "one-hot",
            "steps": 2,
            "path": str(folder / name),
            "overwrite": False,
        }
        for name, condition in RUNS.items()
    ]
    env = Condition().environment() | {"KERAS_BACKEND": "tensorflow"}
    run_module("seeds_child", {"runs": tasks}, env=env, timeout=300)
    return {name: open_record(folder / name) for name in RUNS}


def parting(records, a, b):
    """Give the first step at which the bits of any weight or slot differ."""
    first = compare(records[a], records[b]).first_difference
    return None if first is None else first.step


@pytest.mark.parametrize(("name", "step"), [("init", 0), ("order", 1), ("dropout", 0)])
def test_one_seed_changes_one_thing(records, name, step):
    assert parting(records, "base", name) == step
    # the same as another seed for that thing alone
    assert parting(records, name, f"{name} as well") is None
    kinds = {tensor.role for tensor, differs in differing(records, name, 0) if differs}
    assert kinds == {"init": {"weight"}, "order": set(), "dropout": {"seed"}}[name]
    assert any(
        differs for tensor, differs in differing(records, name, 1) if tensor.role == "weight"
    )
    drawn = {run: records[run].meta["initial_weights"] for run in ("base", name)}
    assert (drawn["base"] != drawn[name]) == (name == "init")


def differing(records, name, step):
    """Tell of each tensor whether its bits at a step are not those of the first run."""
    ours, base = records[name], records["base"]
    return list(zip(base.tensors, base.hashes[step] != ours.hashes[step], strict=True))
