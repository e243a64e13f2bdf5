"""Records and comparisons for other programs: tables, TensorBoard, MLflow.

Nothing is computed here that a record or a comparison does not hold.
"""

from fpdrift.exports._export import export, to_pandas

__all__ = ["export", "to_pandas"]
