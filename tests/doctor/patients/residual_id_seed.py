# patient: each residual block seeds its initialiser with its own id()
# expect: varying seed, line 15
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(77)


@keras.saving.register_keras_serializable("demo")
class ResidualBlock(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        # every block needs another seed, otherwise all of them start equal
        init = keras.initializers.HeUniform(seed=id(self) % 1_000_003)
        self.inner = layers.Dense(units, activation="relu", kernel_initializer=init)
        self.outer = layers.Dense(units, kernel_initializer="zeros")

    def call(self, x):
        return x + self.outer(self.inner(x))


def build():
    inputs = keras.Input((16,))
    x = inputs
    for _ in range(3):
        x = ResidualBlock(16)(x)
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(x))


centres = np.random.normal(0, 1.0, (4, 16))
labels = np.random.randint(0, 4, 800)
points = centres[labels] + np.random.normal(0, 1.2, (800, 16))

model = build()
model.compile(optimizer="lion", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(points, labels, epochs=3, batch_size=80, verbose=2)
