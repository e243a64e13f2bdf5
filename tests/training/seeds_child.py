"""Run in a fresh process by test_seeds: train a few steps under each of several conditions."""

import tensorflow as tf

from fpdrift.subprocesses import serve
from fpdrift.training import _worker


def train_each(task, report):
    tf.config.run_functions_eagerly(True)  # to trace each model anew takes seconds
    for settings in task["runs"]:
        _worker.work(settings, report)
    return {}


if __name__ == "__main__":
    serve(train_each)
