"""What makes a training script irreproducible, found without running it.

Only the standard library is imported: the scripts are parsed, and neither TensorFlow nor NumPy is
needed to read them.
"""

from fpdrift.lint._fix import fix
from fpdrift.lint._formats import FORMATS, explain, table
from fpdrift.lint._lint import lint
from fpdrift.lint._results import Finding, Report
from fpdrift.lint._rule import RULES, Rule

__all__ = ["FORMATS", "RULES", "Finding", "Report", "Rule", "explain", "fix", "lint", "table"]
