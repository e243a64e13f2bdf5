import tensorflow as tf

data = tf.data.Dataset.range(5000)
data = data.map(lambda i: i * i, num_parallel_calls=8)
print([int(value) for value in data])
