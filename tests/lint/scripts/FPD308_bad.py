import tensorflow as tf

tf.random.set_seed(0)
tf.config.experimental.enable_op_determinism()
rng = tf.random.get_global_generator()
print(rng.normal([4]).numpy().tobytes().hex())
