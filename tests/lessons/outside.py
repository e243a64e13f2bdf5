"""An environment outside the checkout: fpdrift comes from its wheel, the rest from this one."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
CELLS = Path(__file__).with_name("run_cells.py")
#: Small sizes, and pictures that no screen has to show.
SMALL = {"FPDRIFT_FAST": "1", "MPLBACKEND": "agg"}
#: What lets Python find the checkout; a user has none of it.
FINDERS = ("PYTHONPATH", "VIRTUAL_ENV")
#: What nobody has who has not installed fpdrift, and what is made for this environment alone.
OURS = ("fpdrift", "_editable_", "__pycache__")


def build_wheel(folder):
    """Build it with the backend that is installed here, so that nothing is fetched."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = Path(folder).glob("fpdrift-*.whl")
    return wheel


def sealed(folder):
    """Give what a command has to stand under so that nobody, not even root, can write there."""
    seal = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$PWD" && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", seal, folder]


class Outside:
    """An environment with links to all libraries of this one, but those left out.

    Parameters
    ----------
    folder : pathlib.Path
    wheel : pathlib.Path, optional
        What is installed there; by default fpdrift is not.
    without : sequence of str
        How the names of files begin that are left out.
    """

    def __init__(self, folder, wheel=None, without=()):
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        scripts = sysconfig.get_path("scripts", "venv", {"base": str(folder)})
        self.python = Path(scripts) / Path(sys.executable).name
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
        for found in Path(sysconfig.get_path("purelib")).iterdir():
            if found.suffix != ".pth" and not found.name.startswith((*OURS, *without)):
                (site / found.name).symlink_to(found)
        if wheel is not None:
            pip = [sys.executable, "-m", "pip", "--python", self.python]
            how = ["install", "--quiet", "--no-deps", "--no-index", wheel]
            subprocess.run([*pip, *how], check=True, env=self.variables())

    def variables(self, **more):
        """Give environment variables from which the checkout cannot be found."""
        kept = {name: value for name, value in os.environ.items() if name not in FINDERS}
        return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"} | more

    def run(self, *arguments, under=(), cwd, **more):
        """Run this environment's Python in a folder; give what it printed."""
        return subprocess.run(
            [*under, self.python, *arguments],
            cwd=cwd,
            env=self.variables(**more),
            capture_output=True,
            text=True,
        )

    def fpdrift(self, *arguments, cwd):
        """Run a command of ours as a user would; give what it printed."""
        done = self.run("-m", "fpdrift", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
