"""Sizes of a lesson's runs: whole ones, or small ones where ``FPDRIFT_FAST=1`` is set."""

from __future__ import annotations

import os


def fast() -> bool:
    """Say whether the lessons are to run in their small sizes."""
    return os.environ.get("FPDRIFT_FAST") == "1"


def size(whole: int, small: int) -> int:
    """Choose between a lesson's own size and the small one."""
    return small if fast() else whole
