# patient: the corruption noise of a denoising autoencoder comes from np.random.default_rng() without a seed
# expect: unseeded generator, line 27
import logging
from dataclasses import dataclass

import keras
import numpy as np
from sklearn.datasets import load_digits

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger("dae")


@dataclass
class Config:
    seed: int = 2024
    noise: float = 0.3
    code_dim: int = 12
    epochs: int = 5


class Corruptor:
    """Adds Gaussian noise to flattened images."""

    def __init__(self, sigma):
        self.sigma = sigma
        self.rng = np.random.default_rng()

    def __call__(self, x):
        noisy = x + self.rng.normal(0.0, self.sigma, size=x.shape)
        return np.clip(noisy, 0.0, 1.0).astype("float32")


def build(cfg, width):
    inputs = keras.Input((width,))
    x = keras.layers.Dense(48, activation="relu")(inputs)
    code = keras.layers.Dense(cfg.code_dim, activation="tanh", name="code")(x)
    x = keras.layers.Dense(48, activation="relu")(code)
    return keras.Model(inputs, keras.layers.Dense(width, activation="sigmoid")(x))


def main(cfg):
    keras.utils.set_random_seed(cfg.seed)
    clean = (load_digits().data / 16.0).astype("float32")
    model = build(cfg, clean.shape[1])
    model.compile("rmsprop", "binary_crossentropy")
    noisy = Corruptor(cfg.noise)(clean)
    history = model.fit(noisy, clean, epochs=cfg.epochs, batch_size=128, verbose=0)
    log.info("reconstruction loss: %s", [round(v, 4) for v in history.history["loss"]])


if __name__ == "__main__":
    main(Config())
