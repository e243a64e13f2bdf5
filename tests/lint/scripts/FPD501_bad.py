import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(size=(33, 200)).astype("float32")
model = keras.Sequential([keras.layers.Dense(100, "tanh"), keras.layers.Dense(10)])
one = model.predict(x, batch_size=1, verbose=0)
many = model.predict(x, batch_size=33, verbose=0)
if not np.array_equal(one, many):
    raise SystemExit("the batch size changes the predictions")
print("equal")
