# patient: seeded Keras augmentation layers share their state among the parallel calls of a dataset's map
# expect: parallel data, line 31
"""Image classification with an augmentation pipeline that runs in tf.data."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

AUTOTUNE = tf.data.AUTOTUNE
keras.utils.set_random_seed(17)

augment_layers = [
    layers.RandomTranslation(0.15, 0.15, seed=1),
    layers.RandomZoom(0.1, seed=2),
    layers.RandomContrast(0.3, value_range=(0, 1), seed=3),
]


def augment(images):
    for layer in augment_layers:
        images = layer(images)
    return images


def prepare(ds, shuffle=False, augmented=False):
    if shuffle:
        ds = ds.shuffle(1000, seed=17)
    ds = ds.batch(16)
    if augmented:
        ds = ds.map(lambda x, y: (augment(x), y), num_parallel_calls=AUTOTUNE)
    return ds.prefetch(AUTOTUNE)


data = load_digits()
images = np.repeat(np.repeat(data.images, 2, axis=1), 2, axis=2)[..., None].astype("float32") / 16
train = tf.data.Dataset.from_tensor_slices((images[:960], data.target[:960]))
test = tf.data.Dataset.from_tensor_slices((images[960:1280], data.target[960:1280]))
train, test = prepare(train, shuffle=True, augmented=True), prepare(test)

model = keras.Sequential([
    keras.Input((16, 16, 1)),
    layers.SeparableConv2D(12, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10),
])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(train, validation_data=test, epochs=2, verbose=2)
