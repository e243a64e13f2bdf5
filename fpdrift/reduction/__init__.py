"""Sums whose order is not ours to choose: seen, recorded and replayed."""

from fpdrift.reduction.threadsums import ThreadRun, ThreadSums
from fpdrift.reduction.threads import replay, thread_sums

__all__ = ["ThreadRun", "ThreadSums", "replay", "thread_sums"]
