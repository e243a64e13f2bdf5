"""Export records and comparisons as tables, or for TensorBoard and MLflow.

Exports contain only numbers that a record or a comparison holds; nothing new is computed.
"""

from fpdrift.exports._export import export, to_pandas

__all__ = ["export", "to_pandas"]
