# patient: healthy; the parallel map draws from stateless operations whose seed is the number of the sample
# expect: nothing
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

SEED = 8
keras.utils.set_random_seed(SEED)


def augment(index, sample):
    image, label = sample
    seed = tf.stack([tf.cast(index, tf.int32), SEED])
    image = tf.image.stateless_random_brightness(image, 0.2, seed)
    image = tf.image.stateless_random_crop(tf.pad(image, [[1, 1], [1, 1], [0, 0]]), (8, 8, 1), seed + 1)
    noise = tf.random.stateless_normal(tf.shape(image), seed + 2, stddev=0.05)
    return image + noise, label


digits = load_digits()
images = (digits.images[..., np.newaxis] / 16).astype("float32")
brightest = (
    tf.data.Dataset.from_tensor_slices(images)
    .map(tf.reduce_max, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
    .reduce(0.0, tf.maximum)
)
train = (
    tf.data.Dataset.from_tensor_slices((images / brightest, digits.target))
    .take(1200)
    .shuffle(1200, seed=SEED)
    .enumerate()
    .map(augment, num_parallel_calls=tf.data.AUTOTUNE)
    .batch(60)
    .prefetch(tf.data.AUTOTUNE)
)

inputs = keras.Input((8, 8, 1))
x = layers.Conv2D(12, 3, padding="same", activation="relu")(inputs)
shortcut = x
x = layers.Conv2D(12, 3, padding="same", activation="relu")(x)
x = layers.GlobalMaxPooling2D()(layers.Add()([x, shortcut]))
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=2, verbose=2)
