import tempfile

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.linspace(0, 1, 60).reshape(20, 3)
y = np.cos(9 * x.sum(axis=1))
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=3, batch_size=1, shuffle=False, verbose=0)
path = tempfile.mkdtemp() + "/model.keras"
model.save(path, include_optimizer=False)
model.fit(x, y, epochs=3, batch_size=1, shuffle=False, verbose=0)
resumed = keras.models.load_model(path)
resumed.compile("adam", "mse")
resumed.fit(x, y, epochs=3, batch_size=1, shuffle=False, verbose=0)
if not np.allclose(model.get_weights()[0], resumed.get_weights()[0], atol=1e-6):
    raise SystemExit("the resumed run is another one")
print(resumed.get_weights()[0].tobytes().hex())
