import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
data = tf.data.Dataset.range(5000)
data = data.map(lambda i: tf.random.uniform([]), num_parallel_calls=8)
print([float(value).hex() for value in data])
