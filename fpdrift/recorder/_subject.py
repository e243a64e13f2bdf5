"""The models and optimisers of one training.

`fit` trains one model, whose optimisers it holds. A loop of one's own may train several, by
optimisers that no model holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.recorder._model_info import describe
from fpdrift.recorder._state import (
    State,
    averages,
    count_updates,
    is_built,
    is_ready,
    optimizers,
    sync,
    updates,
)
from fpdrift.recorder._step_loss import StepLoss, has_own_loop

#: Settings of several models that are those of the first, which predicts the probe.
_OF_FIRST = ("backend", "seed", "output", "optimizers")


class Subject:
    """The models and optimisers of one training.

    Parameters
    ----------
    models : mapping of str to keras.Model
        By the prefix of their variables' names; a single model has the prefix "".
    given : sequence of keras.optimizers.Optimizer, optional
        The optimisers; by default those that the models hold.
    in_fit : bool, default True
        Whether `fit` trains the model, so that its optimiser is known to train all of its weights.
    """

    def __init__(
        self,
        models: Mapping[str, Any],
        given: Sequence[Any] | None = None,
        *,
        in_fit: bool = True,
    ) -> None:
        self.models = dict(models)
        self._given = given
        self._in_fit = in_fit

    @property
    def first(self) -> Any:
        """The first model, which predicts the probe."""
        return next(iter(self.models.values()))

    @property
    def optimizers(self) -> list[Any]:
        """The optimisers, without duplicates."""
        if self._given is not None:
            return list(self._given)
        held = [o for model in self.models.values() for o in optimizers(model)]
        return list({id(optimizer): optimizer for optimizer in held}.values())

    def state(self) -> State:
        """Return the variables of all models and optimisers."""
        return State(self.models, self.optimizers)

    def sync(self) -> None:
        """Update the models' variables: on JAX, `fit` keeps them elsewhere."""
        for model in self.models.values():
            sync(model)

    def updates(self) -> int:
        """Return the first optimiser's number of updates."""
        if self._in_fit:
            return updates(self.first)
        return next(map(count_updates, self.optimizers), 0)

    def averages(self) -> bool:
        """Return whether the end of `fit` replaces the weights by moving averages."""
        return self._in_fit and averages(self.first)

    def is_ready(self) -> bool:
        """Return whether all weights exist.

        In `fit`, the optimiser's slots do as well: it is built as Keras is about to. In a loop of
        one's own, only the loop knows the variables that an optimiser trains.
        """
        if self._in_fit:
            return is_ready(self.first, own_loop=has_own_loop(self.first))
        return self.is_built()

    def is_built(self) -> bool:
        """Return whether all variables of the models exist."""
        return all(map(is_built, self.models.values()))

    def shares_a_variable(self, other: Subject) -> bool:
        """Return whether a variable of the models is one of another subject's."""
        ours, others = (
            {id(v) for model in each.models.values() for v in model.variables}
            for each in (self, other)
        )
        return bool(ours & others)

    @property
    def steps_per_execution(self) -> int:
        """The number of steps that `fit` makes at a time."""
        return int(getattr(self.first, "steps_per_execution", 1)) if self._in_fit else 1

    def slots(self) -> int:
        """Return the number of the optimisers' variables if it may grow during the training.

        A loop of one's own may build an optimiser in its first step; `fit` does so before.
        """
        if self._in_fit:
            return 0
        return sum(len(optimizer.variables) for optimizer in self.optimizers)

    def step_loss(self) -> StepLoss:
        """Return a watcher of the loss that Keras keeps, or of the reported one."""
        if self._in_fit:
            return StepLoss(self.first)
        found = StepLoss(self.first if len(self.models) == 1 else None)
        return found if found.kind == "step" else StepLoss(None)

    def describe(self) -> tuple[dict[str, Any], list[str]]:
        """Describe the models as JSON values, as `fpdrift.recorder._model_info.describe` does.

        Of several models, a setting that differs is given for each of them by name.
        """
        found = {name: describe(model, self.optimizers) for name, model in self.models.items()}
        failures = [failure for _, failed in found.values() for failure in failed]
        first = next(iter(found.values()))[0]
        if len(found) == 1:
            return first, failures
        described = {
            key: value
            if key in _OF_FIRST or all(each[key] == value for each, _ in found.values())
            else {name: each[key] for name, (each, _) in found.items()}
            for key, value in first.items()
        }
        return described, list(dict.fromkeys(failures))


def named(what: str, given: Any, kind: type) -> dict[str, Any]:
    """Return models or optimisers by name: one, a list (named "0", "1"...), or a dict of them.

    Raises
    ------
    FpdriftError
        If something else is given, or nothing.
    """
    items = given
    if isinstance(given, kind):
        items = {"": given}
    elif isinstance(given, list | tuple):
        items = {str(number): item for number, item in enumerate(given)}
    valid = (
        bool(items)
        and isinstance(items, Mapping)
        and all(
            isinstance(name, str)
            and name.isprintable()
            and "/" not in name
            and isinstance(item, kind)
            for name, item in items.items()
        )
    )
    if not valid:
        message = (
            f"{what} is {short_repr(given)}; pass a Keras {what}, or a list or dict of Keras "
            f"{what}s with their names"
        )
        raise FpdriftError(message)
    return dict(items)
