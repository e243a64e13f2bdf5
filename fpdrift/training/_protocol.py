"""What the processes of a training share: those that start it, train it or read its record."""

from __future__ import annotations

#: Samples of a step; an epoch's last step has what is left.
BATCH = 64
LOSS = "categorical_crossentropy"
#: A weight of at most this size is small; what an epoch's figures call the share of such weights.
SMALL = 1e-8
SMALL_WEIGHTS = "small_weights"
