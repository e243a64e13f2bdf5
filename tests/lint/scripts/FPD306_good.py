import tensorflow as tf

tf.random.set_seed(0)
tf.config.experimental.enable_op_determinism()
print(tf.random.normal([4]).numpy().tobytes().hex())
