"""``python -m fpdrift`` is the command ``fpdrift``."""

import sys

from fpdrift.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
