"""Say in one line whether this Python will do, before anything is installed.

Written for any Python 3, so that an old one reads it and does not trip over it.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 13)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.stderr.write(
        "fpdrift needs Python 3.11 to 3.13, and this is {}.{}; "
        "name another one: make PYTHON=python3.12 ...\n".format(*sys.version_info[:2])
    )
    sys.exit(2)
try:
    import ensurepip  # noqa: F401 - the question is whether it is there
    import venv  # noqa: F401
except ImportError:
    sys.stderr.write(
        "this Python has no venv module; install it (Debian: apt install python3-venv)\n"
    )
    sys.exit(2)
