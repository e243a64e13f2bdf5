"""What a result looks like on a screen. Every figure stands in the result; none is computed anew.

So the lines printed from a saved result are the lines printed when it was made.
"""

from fpdrift.cli.screens import arithmetic, compared, runs, studies, sums
from fpdrift.cli.screens.arithmetic import verdict
from fpdrift.cli.screens.screen import screen, show

__all__ = ["arithmetic", "compared", "runs", "screen", "show", "studies", "sums", "verdict"]
