import tensorflow as tf

data = tf.data.Dataset.range(100).shuffle(100)
print([int(value) for value in data])
