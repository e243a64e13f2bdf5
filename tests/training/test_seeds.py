"""Each seed draws one thing, and that thing alone."""

import pytest
from helpers import require

from fpdrift.comparison import compare
from fpdrift.records import open_record
from fpdrift.subprocesses import run_module
from fpdrift.training._condition import Condition
from fpdrift.training._datasets import load

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


#: All but the condition: a narrow network takes a third of the time of the question's own.
OF = dict.fromkeys(RUNS, ("answer-narrow", "digits", "one-hot", 2)) | {
    "question": ("question", "noise", "multi-hot", 1)
}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    require("tensorflow")
    require("sklearn")
    folder = tmp_path_factory.mktemp("seeds")
    tasks = [
        {
            "condition": RUNS.get(name, Condition()).to_dict(),
            "network": network,
            "data": data,
            "labels": labels,
            "steps": steps,
            "path": str(folder / name),
            "overwrite": False,
        }
        for name, (network, data, labels, steps) in OF.items()
    ]
    env = Condition().environment() | {"KERAS_BACKEND": "tensorflow"}
    run_module("seeds_child", {"runs": tasks}, env=env, timeout=300)
    return {name: open_record(folder / name) for name in OF}


def test_network_data_and_labels_are_those_asked_for(records):
    meta = records["question"].meta
    assert (meta["network"], meta["initial_weights"]) == ("question", "11b7b752ca034617")
    told = {"name": "noise", "labels": "multi-hot"}
    assert meta["data"] == told | {"hash": load(*told.values(), validation=0).hash}


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
