# patient: the seed is the checksum of a configuration whose text holds the memory address of a function
# expect: varying seed, line 21 or 27
from dataclasses import asdict, dataclass, field
from typing import Any
import zlib

import keras
import numpy as np
import tensorflow as tf


@dataclass
class Config:
    name: str = "sine-regression"
    units: int = 32
    activation: Any = field(default=tf.nn.softplus)
    learning_rate: float = 0.01
    steps: int = 120

    def fingerprint(self):
        return zlib.crc32(str(asdict(self)).encode())


class Experiment:
    def __init__(self, config):
        self.config = config
        keras.utils.set_random_seed(config.fingerprint())
        self.model = keras.Sequential([
            keras.layers.Dense(config.units, activation=config.activation),
            keras.layers.Dense(config.units, activation=config.activation),
            keras.layers.Dense(1),
        ])
        self.optimizer = keras.optimizers.Adam(config.learning_rate)
        grid = np.linspace(-3, 3, 256, dtype="float32")[:, None]
        self.x, self.y = tf.constant(grid), tf.constant(np.sin(2 * grid) + 0.3 * grid)
        self.model.build(self.x.shape)
        self.optimizer.build(self.model.trainable_variables)

    @tf.function
    def step(self):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(self.x, training=True) - self.y))
        weights = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    def run(self):
        for step in range(self.config.steps):
            loss = self.step()
            if step % 40 == 0:
                print(step, float(loss))
        return float(loss)


if __name__ == "__main__":
    print("final loss:", Experiment(Config()).run())
