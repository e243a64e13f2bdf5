"""Answers that change, and what else has to be read beside a difference."""

import math
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from make_record import make_record

from fpdrift.comparison import compare, summary
from fpdrift.provenance import current


def record(**fields):
    return make_record([{"kernel": np.ones(3, np.float32)}] * 4, **fields)


def churn_of(ours, others):
    return compare(record(predictions=ours), record(predictions=others))


def test_churn_counts_classes_not_numbers():
    ours = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.4], [0.0, 1.0]], np.float32)
    others = np.array([[0.6, 0.4], [0.9, 0.8], [0.5, 0.4], [0.7, 1.0]], np.float32)
    found = churn_of({1: ours, 3: ours}, {1: ours, 3: others, 4: ours})
    assert (found.churn, found.churn_step) == (0.25, 3)
    assert churn_of({3: ours}, {3: ours}).churn == 0.0


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_column_has_two_classes_with_the_border_at_a_half(shape):
    ours = np.array([0.4, 0.6, 0.5, 0.7], np.float32).reshape(shape)
    others = np.array([0.6, 0.4, 0.4, 0.9], np.float32).reshape(shape)
    assert churn_of({3: ours}, {3: others}).churn == 0.5


def test_predictions_for_every_pixel_count_pixel_by_pixel():
    ours = np.zeros((2, 2, 2, 3), ml_dtypes.bfloat16)
    others = ours.copy()
    others[0, 0, 0, 2] = 1
    assert churn_of({3: ours}, {3: others}).churn == 1 / 8


def test_a_prediction_that_is_no_number_is_in_no_class():
    ours = np.array([[0.0, 1.0], [np.nan, 0.0], [np.nan, 1.0]])
    others = np.array([[np.nan, 1.0], [1.0, 0.0], [np.nan, 0.0]])
    assert churn_of({3: ours}, {3: others}).churn == 2 / 3


@pytest.mark.parametrize(
    ("ours", "others"),
    [
        ({}, {}),
        ({3: np.ones((2, 2))}, {}),
        ({3: np.ones((2, 2))}, {2: np.ones((2, 2))}),
        ({3: np.ones((2, 2))}, {3: np.ones((3, 2))}),
        ({3: np.ones((0, 2))}, {3: np.ones((0, 2))}),
        ({3: np.ones((2, 0))}, {3: np.ones((2, 0))}),
    ],
)
def test_without_a_common_probe_there_is_no_churn(ours, others):
    found = churn_of(ours, others)
    assert found.churn is found.churn_step is None


def trained(loss, output=None, **keras):
    """What a recorder says of a model with that loss and activation."""
    return {"keras": {"loss": loss, "output": {"activation": output}, **keras}}


def logits(value):
    return {"class_name": "BinaryCrossentropy", "name": "bce", "from_logits": value}


#: Predictions of one output, between which a border of 0 and of 0.5 see other classes.
OURS, OTHERS = (np.array(values, np.float32) for values in ([-1, 0.05, 0.7, 2], [0.05, -1, 2, 0.7]))
PROBABLE = (np.array([0.2, 0.3, 0.7, 0.9]), np.array([0.3, 0.2, 0.9, 0.2]))


@pytest.mark.parametrize(
    ("meta", "predictions", "rule", "changed"),
    [
        (trained("BinaryCrossentropy", loss_config=logits(True)), (OURS, OTHERS), "above 0", 2),
        (trained("BinaryCrossentropy", loss_config=logits(False)), (OURS, OTHERS), "above 0.5", 0),
        (trained(["hinge"], loss_config=[logits(True)]), (OURS, OTHERS), "above 0", 2),
        (trained("binary_crossentropy"), (OURS, OTHERS), "above 0.5", 0),
        (trained("BinaryCrossentropy"), (OURS, OTHERS), "above 0", 2),  # an old record
        (trained("BinaryCrossentropy"), PROBABLE, "above 0.5", 1),
        (trained("hinge"), (OURS, OTHERS), "above 0", 2),
        (trained("mine", "sigmoid"), PROBABLE, "above 0.5", 1),
        ({"loss": "binary_crossentropy"}, PROBABLE, "above 0.5", 1),
        ({}, PROBABLE, "above 0.5", 1),
    ],
)
def test_the_border_between_two_classes_is_that_of_the_loss(meta, predictions, rule, changed):
    a, b = (record(meta=meta, predictions={3: values}) for values in predictions)
    found = compare(a, b)
    assert (found.answers.rule, found.answers.changed) == (rule, changed)
    assert (found.answers.predictions, found.churn) == (4, changed / 4)


def test_each_label_of_several_is_a_prediction():
    ours = np.array([[0.9, 0.9, 0.1], [0.1, np.nan, 0.2]])
    others = np.array([[0.9, 0.2, 0.1], [0.8, np.nan, 0.2]])
    meta = trained("binary_crossentropy")
    found = compare(*(record(meta=meta, predictions={3: p}) for p in (ours, others))).answers
    assert (found.changed, found.predictions, found.samples) == (2, 6, 2)
    assert (bool(found.interval), found.interval.reason) == (
        False,
        "several predictions of one sample are not independent",
    )


@pytest.mark.parametrize(
    ("ours", "others", "reason"),
    [
        (trained("mse"), trained("mse"), "regression"),
        (trained("MeanAbsoluteError"), trained("MeanAbsoluteError"), "regression"),
        (trained("Huber"), trained("Huber"), "regression"),
        (trained("mine", "linear"), trained("mine", "linear"), "unknown loss"),
        (trained(None), trained(None), "unknown loss"),
        (trained({"a": "mse"}), trained({"a": "mse"}), "unknown loss"),
        (trained("mse"), trained("binary_crossentropy"), "unknown loss"),
        ({}, {}, "unknown loss"),
    ],
)
def test_where_a_loss_tells_no_classes_the_distance_of_the_predictions_is_told(
    ours, others, reason
):
    a, b = np.array([[500.0], [400.0]]), np.array([[501.0], [402.0]])
    found = compare(record(meta=ours, predictions={3: a}), record(meta=others, predictions={3: b}))
    assert found.churn is found.churn_step is None
    assert (found.answers.reason, found.answers.share) == (reason, None)
    assert found.answers.interval.reason == "no classes were compared"
    assert found.answers.distance == pytest.approx(5**0.5 / (500**2 + 400**2) ** 0.5)
    assert type(found).from_json(found.to_json()).answers == found.answers


def probe(digest):
    return {"recorder": {"probe": {"samples": 4, "digest": digest}}}


def test_two_probes_have_no_churn():
    ours, others = ({3: values[:, np.newaxis]} for values in PROBABLE)
    found = compare(
        record(meta=probe("x"), predictions=ours), record(meta=probe("y"), predictions=others)
    )
    assert (found.churn, found.answers.reason, found.answers.same_probe) == (
        None,
        "another probe",
        False,
    )
    same = compare(*(record(meta=probe("x"), predictions=p) for p in (ours, others)))
    assert (same.churn, same.answers.same_probe) == (0.25, True)
    own = [{"probe": {"hash": digest}} for digest in "xy"]  # as `train` writes it
    trained_ones = [record(meta=m, predictions=p) for m, p in zip(own, (ours, others), strict=True)]
    assert compare(*trained_ones).answers.reason == "another probe"
    assert compare(record(predictions=ours), trained_ones[1]).answers.same_probe is None


@pytest.mark.parametrize(("changed", "of"), [(0, 10), (3, 10), (10, 10), (51, 100), (7, 256)])
def test_the_interval_is_that_of_clopper_and_pearson(changed, of):
    """At either end, 2.5 % of the samples have as many changes as were seen, or more: or fewer."""
    ours = np.tile([[0.9, 0.1]], (of, 1))
    others = ours.copy()
    others[:changed] = others[:changed, ::-1]
    found = churn_of({3: ours}, {3: others}).answers
    assert (found.changed, found.predictions) == (changed, of)

    def chance(share, counts):
        return math.fsum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in counts)

    its = found.interval
    if changed:
        assert chance(its.low, range(changed, of + 1)) == pytest.approx(0.025)
    if changed < of:
        assert chance(its.high, range(changed + 1)) == pytest.approx(0.025)
    assert its.low <= found.share <= its.high
    assert its.method == "Clopper-Pearson"


def test_fewer_than_six_predictions_have_no_interval():
    ours = np.tile([[0.9, 0.1]], (6, 1))
    others = ours[:, ::-1]
    assert churn_of({3: ours}, {3: others}).answers.interval
    found = churn_of({3: ours[:5]}, {3: others[:5]}).answers
    assert (found.share, found.interval.method) == (1.0, None)
    assert found.interval.reason == "5 cases; an interval needs 6"


KNOWN = {
    "condition": {"seed": 1, "intra_op_threads": 1, "perturbation": None},
    "data": "noise",
    "network": "answer",
    "seed": 1,
}


def test_runs_under_one_condition_differ_in_nothing():
    assert compare(record(meta=KNOWN), record(meta=KNOWN)).differs == {}


def test_what_differs_is_named_with_both_values():
    nudge = {"kind": "ulp", "at": [1, 2]}
    condition = {"seed": 1, "intra_op_threads": 2, "perturbation": nudge}
    other = {**KNOWN, "condition": condition, "data": "digits", "account": [1] * 1000}
    machine = replace(current(), cpu="abacus", packages={**current().packages, "numpy": "0.1"})
    b = record(meta=other, complete=False, loss_kind="running mean", provenance=machine)
    found = compare(record(meta=KNOWN), b)
    assert found.differs == {
        "complete": (True, False),
        "loss kind": ("step", "running mean"),
        "condition.intra_op_threads": (1, 2),
        "condition.perturbation.kind": (None, "ulp"),
        "condition.perturbation.at": (None, "[1, 2]"),
        "data": ("noise", "digits"),
        "account": ("unknown", str([1] * 1000)),
        "cpu": (current().cpu, "abacus"),
        "packages.numpy": (np.__version__, "0.1"),
    }
    assert type(found).from_json(found.to_json()).differs == found.differs


def test_only_a_value_longer_than_any_setting_is_cut_and_still_told_from_another():
    texts = ["x" * 20_000 + end for end in "ab"]
    found = compare(*(record(meta={**KNOWN, "account": text}) for text in texts))
    ours, others = found.differs["account"]
    assert ours.startswith("x" * 10_000 + "… (20,001 characters, digest ")
    assert ours != others
    whole = compare(record(meta=KNOWN), record(meta={**KNOWN, "account": ["x" * 9_996]}))
    assert whole.differs["account"] == ("unknown", f"['{'x' * 9_996}']")


def optimizer(**settings):
    """What a recorder writes of one Adam and its long list of settings."""
    named = {"weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None}
    return {**KNOWN, "keras": {"optimizers": [{**named, "use_ema": False, **settings}]}}


def test_settings_of_an_optimiser_are_told_one_by_one():
    ours = optimizer(learning_rate=1e-3, beta_2=0.999, ema={"every": 1})
    others = optimizer(learning_rate=1e-2, beta_2=0.95, ema={"every": 2}) | {"seed": 2}
    found = compare(record(meta=ours), record(meta=others)).differs
    assert list(found.items()) == [
        ("keras.optimizers.learning_rate", (1e-3, 1e-2)),
        ("seed", (1, 2)),
        ("keras.optimizers.beta_2", (0.999, 0.95)),
        ("keras.optimizers.ema.every", (1, 2)),
    ]
    schedule = optimizer(
        learning_rate={"name": "decay", "steps": 9}, beta_2=0.999, ema={"every": 1}
    )
    assert compare(record(meta=ours), record(meta=schedule)).differs == {
        "keras.optimizers.learning_rate.name": (1e-3, "decay"),
        "keras.optimizers.learning_rate.steps": (1e-3, 9),
    }
    two = {**ours, "keras": {"optimizers": ours["keras"]["optimizers"] * 2}}
    assert "keras.optimizers.1.beta_2" in compare(record(meta=ours), record(meta=two)).differs


def test_an_unset_switch_is_known_and_the_hash_seed_then_random():
    one, other = (
        replace(current(), switches=switches)
        for switches in ({"PYTHONHASHSEED": "0", "XLA_FLAGS": "x"}, {})
    )
    found = compare(record(meta=KNOWN, provenance=one), record(meta=KNOWN, provenance=other))
    assert found.differs == {
        "switches.PYTHONHASHSEED": ("0", "not set: random, a new one in each process"),
        "switches.XLA_FLAGS": ("x", "not set"),
    }
    facts = summary(record(provenance=other), 1).facts
    assert facts["switches.PYTHONHASHSEED"] == "not set: random, a new one in each process"


@pytest.mark.parametrize(
    ("keras", "unsaid"),
    [({"seed": 3}, False), ({"seed": None}, True), ({}, True), ({"layers.seed": 3}, True)],
)
def test_a_seed_that_was_set_is_recorded(keras, unsaid):
    """Keras tells which seed it was given last, or that it was given none."""
    found = compare(*(record(meta={"keras": keras}) for _ in "ab"))
    assert ("seed" in found.differs) == unsaid
    assert "network" not in found.differs


def test_a_package_that_one_run_did_without_is_said():
    less = replace(current(), packages={})
    found = compare(record(meta=KNOWN), record(meta=KNOWN, provenance=less))
    assert found.differs["packages.numpy"] == (np.__version__, "not installed")


def test_what_a_record_does_not_say_is_unknown():
    found = compare(record(meta=KNOWN), record(meta={"seed": None}))
    assert found.differs["seed"] == (1, "unknown")
    assert found.differs["condition.seed"] == (1, "unknown")
    assert found.differs["condition.intra_op_threads"] == (1, "unknown")
    nobody = compare(record(), record())
    assert nobody.differs == dict.fromkeys(
        ("condition", "data", "network", "seed"), ("unknown", "unknown")
    )


def test_other_starting_weights_are_a_difference_of_circumstances_too():
    states = [{"kernel": np.full(3, value, np.float32)} for value in (1, 2)]
    found = compare(make_record(states, meta=KNOWN), make_record(states[::-1], meta=KNOWN))
    assert list(found.differs) == ["starting weights"]
    ours, others = found.differs["starting weights"]
    assert ours != others
    unseen = {"steps": [1, 2], "start_seen": False}
    late = compare(*(make_record(states, meta=KNOWN, **unseen) for _ in "ab"))
    assert late.differs["starting weights"] == ("unknown", "unknown")


def test_a_strangers_names_do_not_keep_a_result_from_being_saved():
    metrics = {"$float": np.zeros(4)}
    a = record(meta={"$float": {"$array": 1}}, metrics=metrics)
    found = compare(a, record(metrics=metrics))
    assert found.differs["float.$array"] == (1, "unknown")
    assert type(found).from_json(found.to_json()).metrics["float"].tolist() == [[0.0] * 4] * 2
