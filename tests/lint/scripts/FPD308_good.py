import tensorflow as tf

tf.random.set_seed(0)
tf.config.experimental.enable_op_determinism()
rng = tf.random.Generator.from_seed(0)
print(rng.normal([4]).numpy().tobytes().hex())
