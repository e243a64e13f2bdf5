"""TensorFlow's switches. They hold for the whole process, and only before its first operation."""

from __future__ import annotations


def configure(
    *, intra_op_threads: int | None, inter_op_threads: int | None, op_determinism: bool
) -> None:
    """Fix TensorFlow's threads and its promise of the same bits; None leaves its own choice.

    Parameters
    ----------
    intra_op_threads : int or None
        Threads inside one operation.
    inter_op_threads : int or None
        Operations that may run at the same time.
    op_determinism : bool
        Whether each operation has to give the same bits each time, or fail.

    Raises
    ------
    RuntimeError
        If TensorFlow has already computed something in this process.
    """
    import tensorflow as tf

    if intra_op_threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(intra_op_threads)
    if inter_op_threads is not None:
        tf.config.threading.set_inter_op_parallelism_threads(inter_op_threads)
    if op_determinism:
        tf.config.experimental.enable_op_determinism()
