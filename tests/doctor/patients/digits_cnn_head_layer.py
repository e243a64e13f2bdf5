# patient: every initialiser of the CNN has a seed except that of the last Dense layer, and Python's random is not seeded
# expect: unseeded generator, line 22
"""Classify the 8x8 digits with a small convolutional network."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from keras.initializers import GlorotUniform, HeNormal
from sklearn.datasets import load_digits

np.random.seed(42)
tf.random.set_seed(42)


class DigitNet(keras.Model):
    def __init__(self, n_classes=10):
        super().__init__()
        self.conv1 = layers.Conv2D(16, 3, activation="relu", kernel_initializer=HeNormal(seed=1))
        self.conv2 = layers.Conv2D(32, 3, activation="relu", kernel_initializer=HeNormal(seed=2))
        self.pool = layers.GlobalAveragePooling2D()
        self.hidden = layers.Dense(64, activation="relu", kernel_initializer=GlorotUniform(seed=3))
        self.head = layers.Dense(n_classes)

    def call(self, x):
        x = self.conv1(x)
        x = self.conv2(x)
        return self.head(self.hidden(self.pool(x)))


digits = load_digits()
images = (digits.images / 16.0).astype("float32")[..., np.newaxis]
perm = np.random.permutation(len(images))
train, test = perm[:1400], perm[1400:]

model = DigitNet()
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(images[train], digits.target[train], batch_size=64, epochs=3, verbose=2)
loss, acc = model.evaluate(images[test], digits.target[test], verbose=0)
print(f"test loss {loss:.4f}  test acc {acc:.4f}")
