"""``python -m fpdrift.demo``: see this machine's arithmetic drift, from one expression to a CNN."""

import sys

from fpdrift.cli.start import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
