# patient: a map with parallel calls uses tf.image.random_* ops, which share one random state
# expect: parallel data, line 32
"""Image pipeline with tf.data, in the way of the official guide."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

AUTOTUNE = tf.data.AUTOTUNE
BATCH = 50
keras.utils.set_random_seed(2718)


def make_blobs(n, size=16):
    """Images with one bright blob; the class is the quarter in which it lies."""
    yy, xx = np.mgrid[:size, :size]
    centres = np.random.uniform(2, size - 2, (n, 2))
    d2 = (yy - centres[:, :1, None]) ** 2 + (xx - centres[:, 1:, None]) ** 2
    quarter = 2 * (centres[:, 0] > size / 2) + (centres[:, 1] > size / 2)
    return np.exp(-d2 / 6.0).astype("float32")[..., None], quarter.astype("int64")


def augment(image, label):
    image = tf.image.random_brightness(image, 0.3)
    image = tf.image.random_contrast(image, 0.5, 1.5)
    return tf.clip_by_value(image, 0.0, 1.0), label


images, quarters = make_blobs(1500)
ds = tf.data.Dataset.from_tensor_slices((images, quarters))
ds = ds.shuffle(1500, seed=1)
ds = ds.map(augment, num_parallel_calls=AUTOTUNE)
ds = ds.batch(BATCH).prefetch(AUTOTUNE)

model = keras.Sequential([
    layers.Conv2D(8, 3, strides=2, activation="relu"),
    layers.Conv2D(16, 3, strides=2, activation="relu"),
    layers.Flatten(),
    layers.Dense(4),
])
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(ds, epochs=2, verbose=2)
