# patient: threads append their spectra to a list in the order in which they finish
# expect: thread race, line 28
import threading
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(440)

# 1. signals: pure tones and chords
def tone(k):
    local = np.random.RandomState(k)
    t = np.arange(4096) / 4096
    freqs = local.choice(np.arange(20, 200), size=1 + k % 2 * 2, replace=False)
    wave = sum(np.sin(2 * np.pi * f * t) for f in freqs)
    return wave + local.normal(0, 0.5, t.size), k % 2

# 2. extract features with 8 threads
spectra = []
lock = threading.Lock()

def extract(keys):
    for key in keys:
        wave, label = tone(key)
        power = np.abs(np.fft.rfft(wave))[:256]
        row = np.log1p(power.reshape(64, 4).max(axis=1))
        with lock:
            spectra.append((row, label))

threads = [threading.Thread(target=extract, args=(range(start, 600, 8),)) for start in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()

X = np.array([row for row, _ in spectra], dtype="float32")
y = np.array([label for _, label in spectra])

# 3. train
model = keras.Sequential()
model.add(layers.Dense(16, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=4, batch_size=30, verbose=2)
