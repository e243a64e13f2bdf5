"""A Dask cluster of real processes on this machine, which can be killed and started again."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = str(Path(__file__).parent)
QUIET = {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical"}


class Cluster:
    """One scheduler and its workers, each with one thread; `address` stays the same."""

    def __init__(self, folder, *, workers=2, made=False):
        self.folder = Path(folder)
        self.count = workers
        self.options = ["--preload", "made_records"] if made else []
        self.address = "tcp://127.0.0.1:0"
        self.scheduler, self.workers = None, []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2]
        self.scheduler = self._run(
            "scheduler", "--host=127.0.0.1", f"--port={port}", f"--scheduler-file={file}"
        )
        end = time.monotonic() + 60
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            assert self.scheduler.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [self.add_worker() for _ in range(self.count)]

    def add_worker(self):
        own = ("--nthreads=1", "--no-nanny", f"--local-directory={self.folder}")
        return self._run("worker", self.address, *own, *self.options)

    def stop(self):
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()
        self.workers = []

    def _run(self, kind, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
        paths = os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")])
        with (self.folder / f"{kind}.log").open("a") as log:
            return subprocess.Popen(
                [*command, *options],
                env={**os.environ, **QUIET, "PYTHONPATH": paths},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
