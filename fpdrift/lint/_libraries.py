"""FPD1: scikit-learn, pandas and Keras' directories, which draw from NumPy unless told a seed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fpdrift.lint._randomness import seeded
from fpdrift.lint._rule import Fix, Hit, rule
from fpdrift.lint._seeds import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.lint._trace import Event, Trace

_SPLITS = [
    "ShuffleSplit",
    "StratifiedShuffleSplit",
    "GroupShuffleSplit",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
]
_FOLDS = ["KFold", "StratifiedKFold", "StratifiedGroupKFold"]
_ESTIMATORS = re.compile(
    r"sklearn\.(ensemble\.(RandomForest|ExtraTrees|GradientBoosting|Bagging|AdaBoost)"
    r"(Classifier|Regressor)|ensemble\.(IsolationForest|RandomTreesEmbedding)"
    r"|tree\.(Decision|Extra)Tree(Classifier|Regressor)"
    r"|neural_network\.(MLP(Classifier|Regressor)|BernoulliRBM)"
    r"|linear_model\.SGD(Classifier|Regressor|OneClassSVM)"
    r"|cluster\.(KMeans|MiniBatchKMeans|BisectingKMeans)|manifold\.(TSNE|MDS)"
    r"|mixture\.(Bayesian)?GaussianMixture|model_selection\.(Randomized|HalvingRandom)SearchCV"
    r"|random_projection\.(Gaussian|Sparse)RandomProjection|kernel_approximation\.RBFSampler"
    r"|decomposition\.(FastICA|LatentDirichletAllocation|DictionaryLearning)"
    r"|datasets\.make_(blobs|classification|regression|moons|circles|friedman[123]|sparse_\w+"
    r"|gaussian_quantiles|hastie_10_2|low_rank_matrix|s_curve|swiss_roll)"
    r"|inspection\.permutation_importance|utils\.(shuffle|resample))"
)
#: Without noise or shuffling these draw nothing.
_QUIET = {"sklearn.datasets.make_moons", "sklearn.datasets.make_circles"}


def _lacks_state(trace: Trace, event: Event) -> bool:
    """Return whether a call draws from NumPy's global generator, which nothing seeds."""
    state = event.keywords.get("random_state")
    return (
        event.reached
        and "**" not in event.keywords
        and (state is None or state.constant() is None)
        and "NumPy" not in seeded(trace)
    )


def _state(event: Event) -> Fix | None:
    return None if "random_state" in event.keywords else Fix("argument", "random_state=0")


@rule(
    "FPD101",
    "split-without-random-state",
    "{found} splits the data differently in every run",
    reason="Without random_state scikit-learn draws from NumPy's global generator, which nothing "
    "in this file seeds.",
    remedy="Pass random_state=0.",
    fixable=True,
)
def split_without_random_state(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        module, _, name = event.name.rpartition(".")
        if module != "sklearn.model_selection" or not _lacks_state(trace, event):
            continue
        split = name == "train_test_split" and not event.says("shuffle", False)
        if split or name in _SPLITS or (name in _FOLDS and event.says("shuffle", True)):
            yield Hit(event.node, written(event.node), _state(event))


@rule(
    "FPD102",
    "estimator-without-random-state",
    "{found} uses different random numbers in every run",
    reason="Without random_state scikit-learn draws from NumPy's global generator, which nothing "
    "in this file seeds.",
    remedy="Pass random_state=0.",
    fixable=True,
)
def estimator_without_random_state(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if _ESTIMATORS.fullmatch(event.name) and _lacks_state(trace, event):
            still = event.says("shuffle", False) and "noise" not in event.keywords
            if not (event.name in _QUIET and still):
                yield Hit(event.node, written(event.node), _state(event))


@rule(
    "FPD103",
    "sample-without-random-state",
    "{found} samples different rows in every run",
    reason="pandas draws from NumPy's global generator, which nothing in this file seeds.",
    remedy="Pass random_state=0.",
    fixable=True,
)
def sample_without_random_state(trace: Trace) -> Iterator[Hit]:
    if not trace.imports("pandas"):
        return
    for event in trace.calls():
        if event.name.endswith(".sample") and {"frac", "n"} & set(event.keywords):
            frame = event.name.startswith(("pandas.", "?"))
            if frame and _lacks_state(trace, event):
                yield Hit(event.node, written(event.node), _state(event))


@rule(
    "FPD104",
    "directory-split-without-seed",
    "{found} with validation_split has no seed",
    reason="The training and the validation part come from two calls that shuffle the same files. "
    "Without a common seed they would overlap, so Keras raises an error.",
    remedy="Pass the same seed to both calls, or shuffle=False.",
    fixable=True,
)
def directory_split_without_seed(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if re.fullmatch(r"keras\.utils\.(image|text|audio)_dataset_from_directory", event.name):
            split = event.keywords.get("validation_split")
            fixed = {"seed", "**"} & set(event.keywords) or event.says("shuffle", False)
            if split is not None and split.constant() is not None and not fixed:
                yield Hit(event.node, written(event.node), Fix("argument", "seed=0"))
