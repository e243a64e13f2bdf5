# patient: nothing is planted; the parallel map draws with stateless ops whose seed is the element's index
# expect: nothing
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

SEED = 81
keras.utils.set_random_seed(SEED)


def augment(index, sample):
    image, label = sample
    seed = tf.stack([tf.constant(SEED, tf.int64), index])
    image = tf.image.stateless_random_brightness(image, 0.2, seed)
    image = tf.image.stateless_random_flip_left_right(image, seed + 1)
    return image, label


bunch = load_digits()
pictures = (bunch.images / 16).astype("float32")[..., np.newaxis]
ds = (
    tf.data.Dataset.from_tensor_slices((pictures, bunch.target))
    .enumerate()
    .map(augment, num_parallel_calls=tf.data.AUTOTUNE)
    .shuffle(1797)
    .batch(128)
    .prefetch(tf.data.AUTOTUNE)
)

x = keras.Input((8, 8, 1))
h = keras.layers.DepthwiseConv2D(3, depth_multiplier=8, activation="relu")(x)
h = keras.layers.Flatten()(h)
model = keras.Model(x, keras.layers.Dense(10, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(ds, epochs=3, verbose=2)
