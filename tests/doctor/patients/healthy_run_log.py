# patient: nothing is planted; the clock, the process id and a uuid go to the log only
# expect: nothing
import json
import logging
import os
import time
import uuid
from pathlib import Path

import keras
import numpy as np

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
RUN = f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
OUT = Path("runs") / RUN


class Stopwatch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.start
        logging.info("epoch %d: loss %.5f (%.2f s)", epoch, logs["loss"], seconds)


def main(seed=70):
    OUT.mkdir(parents=True)
    keras.utils.set_random_seed(seed)
    t = np.random.uniform(-1, 1, (900, 3))
    z = np.exp(-np.sum(t**2, axis=1)) + np.random.normal(0, 0.01, 900)
    model = keras.Sequential([
        keras.layers.Dense(20, activation="softplus"),
        keras.layers.Dropout(0.05),
        keras.layers.Dense(1),
    ])
    model.compile("rmsprop", "mse")
    history = model.fit(t, z, epochs=3, batch_size=45, callbacks=[Stopwatch()], verbose=0)
    meta = {"run": RUN, "pid": os.getpid(), "finished": time.time(), **history.history}
    (OUT / "meta.json").write_text(json.dumps(meta))


if __name__ == "__main__":
    main()
