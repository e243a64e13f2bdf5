import keras
import numpy as np

x = np.ones((4, 3))
model = keras.Sequential([keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(x, np.ones((4, 2)), epochs=1, verbose=0)
print(model.get_weights()[0].tobytes().hex())
