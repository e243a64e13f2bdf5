"""Sums whose order is not ours to choose: seen, recorded and replayed."""

from fpdrift.reduction.threads import replay, thread_sums
from fpdrift.reduction.threadsums import ThreadRun, ThreadSums

__all__ = ["ThreadRun", "ThreadSums", "replay", "thread_sums"]
