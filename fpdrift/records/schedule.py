"""At which steps values and sketches are kept: drift is fast at first, so often at first."""

from __future__ import annotations

#: Every step up to this one...
DENSE_UP_TO = 32
#: ... then every so many: sketching each step costs too much of the training.
EVERY = 8


def is_due(step: int, previous: int) -> bool:
    """Tell whether something is to be kept at a step.

    Parameters
    ----------
    step : int
        Number of updates done.
    previous : int
        The step recorded before (-1: none); steps in between, seen by nobody, make this one due.
    """
    return previous < min(step, DENSE_UP_TO) or step // EVERY > previous // EVERY
