import tensorflow as tf

tf.random.set_seed(0)
data = tf.data.Dataset.range(5000)
data = data.map(lambda i: tf.random.uniform([]), num_parallel_calls=8)
print([float(value).hex() for value in data])
