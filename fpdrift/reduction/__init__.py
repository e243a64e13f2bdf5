"""Sums whose order is not ours to choose: seen, recorded, replayed; and plans that fix it."""

from fpdrift.reduction import makers
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.running import run_plan, run_plans
from fpdrift.reduction.threads import replay, thread_sums
from fpdrift.reduction.threadsums import ThreadRun, ThreadSums

__all__ = [
    "Plan",
    "ThreadRun",
    "ThreadSums",
    "makers",
    "replay",
    "run_plan",
    "run_plans",
    "thread_sums",
]
