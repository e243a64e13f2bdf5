# patient: image tiles are collected with as_completed
# expect: thread race, line 35
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed

import keras
import numpy as np
from keras import layers

LOG = logging.getLogger(__name__)
N_TILES = 240


def render(tile: int) -> np.ndarray:
    """A height map of 24x24, from octaves of smooth noise."""
    rng = np.random.default_rng(tile)
    height = np.zeros((24, 24))
    for octave in (3, 6, 12):
        coarse = rng.normal(size=(octave, octave)) / octave
        height += np.kron(coarse, np.ones((24 // octave, 24 // octave)))
    return height


def describe(tile: int) -> tuple[np.ndarray, float]:
    height = render(tile)
    size = len(zlib.compress(np.round(height * 20).astype(np.int8).tobytes() * 40, 9))
    return height.astype("float32"), size / 200


def dataset(workers: int = 6) -> tuple[np.ndarray, np.ndarray]:
    images, targets = [], []
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(describe, tile) for tile in range(N_TILES)]
        for job in as_completed(jobs):
            image, target = job.result()
            images.append(image)
            targets.append(target)
    return np.stack(images)[..., None], np.array(targets, "float32")


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    keras.utils.set_random_seed(12)
    x, y = dataset()
    LOG.info("rendered %d tiles", len(x))
    model = keras.Sequential([
        layers.Conv2D(8, 3, strides=3, activation="relu"),
        layers.Flatten(),
        layers.Dense(16, activation="relu"),
        layers.Dense(1),
    ])
    model.compile("adam", "mae")
    model.fit(x, y, batch_size=24, epochs=3, verbose=0)
    LOG.info("MAE %.4f", model.evaluate(x, y, verbose=0))


if __name__ == "__main__":
    main()
