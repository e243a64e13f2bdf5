"""A pool's process follows its parent; a process of the user's own is left as it is."""

import multiprocessing
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from fpdrift.ensembles import _remote
from fpdrift.errors import ChildError

SPAWN = multiprocessing.get_context("spawn")


def changed_by_a_job():
    """Begin a job that nobody waits for; tell whether Ctrl-C does less now, and new threads."""
    threads = set(threading.enumerate())
    _remote.cancel("ticket")
    with pytest.raises(ChildError, match="the job was cancelled"):
        _remote.train_remotely(None, None, "ticket")
    ctrl_c = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    return ctrl_c, len(set(threading.enumerate()) - threads)


def changed_in_a_thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(changed_by_a_job).result(60)


def send(connection, function):
    connection.send(function())


def test_a_pools_process_follows_its_parent():
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        assert pool.submit(changed_by_a_job).result(60) == (True, 1)


@pytest.mark.parametrize("function", [changed_by_a_job, changed_in_a_thread])
def test_a_process_of_the_users_own_is_left_as_it_is(function):
    here, there = SPAWN.Pipe()
    child = SPAWN.Process(target=send, args=(there, function))
    child.start()
    assert here.poll(60)
    assert here.recv() == (False, 0)
    child.join(60)
    assert child.exitcode == 0
