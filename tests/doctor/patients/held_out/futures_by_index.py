# patient: healthy; the futures of as_completed are put back by their index, and the clock is only logged
# expect: nothing
import logging
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import keras
import numpy as np

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
keras.utils.set_random_seed(64)


def fetch_station(k):
    """One year of daily temperatures of station k."""
    rng = np.random.default_rng([64, k])
    time.sleep(0.02 * (k * 7 % 5))
    days = np.arange(365)
    return 10 + k - 9 * np.cos(2 * np.pi * days / 365) + rng.normal(0, 1.5, 365)


started = time.time()
stations = [None] * 12
with ThreadPoolExecutor(max_workers=6) as pool:
    jobs = {pool.submit(fetch_station, k): k for k in range(12)}
    for done in as_completed(jobs):
        stations[jobs[done]] = done.result()
        logging.info("station %d after %.3f s", jobs[done], time.time() - started)

series = (np.array(stations, dtype="float32") - 12) / 8
windows = keras.utils.timeseries_dataset_from_array(
    series.T[:-1], series.T[14:], sequence_length=14, batch_size=64, shuffle=True, seed=64
)
model = keras.Sequential(
    [
        keras.layers.LSTM(24),
        keras.layers.Dense(12),
    ]
)
model.compile(optimizer="adamax", loss="mse")
history = model.fit(windows, epochs=4, verbose=0)
logging.info("run of %s: loss %.5f", time.strftime("%d.%m.%Y"), history.history["loss"][-1])
