"""Train the same six runs on every executor: do equal conditions have equal bits?

Here one after another, by threads, by a pool of processes, and on a Dask cluster. There a worker is
killed while it trains, and the whole cluster ended and started again after the first record came
back; the same ensemble then goes on in a call of its own.
"""

import argparse
import logging
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from sys import path

path.insert(0, str(Path(__file__).parents[1]))
from dask_processes import Cluster
from distributed import Client

from fpdrift.ensembles._ensemble import ensemble
from fpdrift.training import Condition

CONDITIONS = [
    *(Condition(intra_op_threads=k) for k in (1, 2)),
    Condition(intra_op_threads=1, onednn=False),
    Condition(intra_op_threads=1, op_determinism=True),
    Condition(intra_op_threads=1, seed=2),
    Condition(intra_op_threads=1),
]


def bits(result, folder):
    records = list(result.records(folder))
    assert all(record.complete for record in records)
    return [(record.hashes.tobytes(), record.loss.tobytes()) for record in records]


@contextmanager
def dask(cluster):
    with Client(cluster.address, timeout=60, set_as_default=False) as client:
        yield client.get_executor()


def on_cluster(folder, given):
    """Kill a worker, then all; go on."""
    runs, place = folder / "dask", folder / "cluster"
    place.mkdir()
    kept = {}

    class EndedError(Exception):
        pass

    def disturb(_label, done, total):
        if done == total:
            cluster.stop()
            kept.update({p: p.read_bytes() for p in runs.glob("*.fpdrift")})
            raise EndedError

    with Cluster(place) as cluster:
        try:
            with dask(cluster) as executor:
                cluster.workers[0].kill()
                cluster.workers.append(cluster.add_worker())
                ensemble(**given, directory=runs, executor=executor, progress=disturb)
        except EndedError:
            pass
        cluster.start()
        with dask(cluster) as executor:
            cluster.workers[1].kill()
            result = ensemble(**given, directory=runs, executor=executor)
    assert kept
    assert all(p.read_bytes() == data for p, data in kept.items()), "a finished run was lost"
    return result


def main():
    """Train everywhere; exit with an error if any two runs of a condition differ."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its own complaints at the end
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    given = {"conditions": CONDITIONS, "data": "digits", "steps": parser.parse_args().steps}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        expected = ensemble(**given, directory=folder / "here")
        known = bits(expected, folder / "here")
        assert known[0] == known[-1], "one condition, twice, here"
        for name, make in {
            "threads": lambda: ThreadPoolExecutor(2),
            "processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
            "dask": None,
        }.items():
            begun = time.monotonic()
            if make is None:
                found = on_cluster(folder, given)
            else:
                with make() as executor:
                    found = ensemble(**given, directory=folder / name, executor=executor)
            assert found == expected, name
            assert bits(found, folder / name) == known, name
            seconds = time.monotonic() - begun
            print(f"{len(CONDITIONS)} runs, {name}: the same bits as here ({seconds:.0f} s)")


if __name__ == "__main__":
    main()
