"""What a result looks like in 80 columns. Every figure stands in the result; none is computed anew.

So the lines printed from a saved result are the lines printed when it was made.
"""

from fpdrift.cli.screens import arithmetic, compared, runs, studies, sums
from fpdrift.cli.screens.arithmetic import verdict
from fpdrift.cli.screens.screen import count, screen

__all__ = ["arithmetic", "compared", "count", "runs", "screen", "studies", "sums", "verdict"]
