import tensorflow as tf

tf.random.set_seed(0)
tf.config.experimental.enable_op_determinism()
with tf.device("CPU"):
    counts = tf.math.bincount([1, 2, 2], weights=[0.1, 0.2, 0.3])
print(counts.numpy().tobytes().hex())
