# patient: nothing is planted; threads draw, each from its own spawned stream, and map keeps the order
# expect: nothing
"""Train on option prices simulated in parallel."""
import argparse
import logging
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

log = logging.getLogger(__name__)


def price(task):
    """Monte Carlo price of a European call with strike 1."""
    seed, spot, vol = task
    normal = np.random.default_rng(seed).standard_normal(2000)
    final = spot * np.exp(-0.5 * vol**2 + vol * normal)
    return np.maximum(final - 1.0, 0.0).mean()


def make_data(seed, n, threads):
    root = np.random.SeedSequence(seed)
    rng = np.random.default_rng(root)
    spot, vol = rng.uniform(0.5, 1.5, n), rng.uniform(0.1, 0.6, n)
    with ThreadPoolExecutor(threads) as pool:
        prices = list(pool.map(price, zip(root.spawn(n), spot, vol)))
    return np.stack([spot, vol], axis=1).astype("float32"), np.array(prices, "float32")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1973)
    parser.add_argument("--options", type=int, default=600)
    parser.add_argument("--threads", type=int, default=5)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    x, y = make_data(args.seed, args.options, args.threads)
    model = keras.Sequential([keras.layers.Dense(16, "silu"), keras.layers.Dense(16, "silu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    fitted = model.fit(x, y, epochs=4, batch_size=40, verbose=0)
    log.warning("final loss %.6f", fitted.history["loss"][-1])


if __name__ == "__main__":
    main()
