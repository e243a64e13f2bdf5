import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.ones((1, 100), "float32")
model = keras.Sequential([keras.layers.Dropout(0.5)])


def predict():
    return np.asarray(model(x))


first, second = predict(), predict()
if not np.allclose(first, second):
    raise SystemExit("the same input, another prediction")
print(first.tobytes().hex())
