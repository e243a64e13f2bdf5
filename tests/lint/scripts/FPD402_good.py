import tensorflow as tf

data = tf.data.Dataset.range(5000)
data = data.map(
    lambda i: tf.random.stateless_uniform([], seed=tf.stack([i, 0])), num_parallel_calls=8
)
print([float(value).hex() for value in data])
