import os

import keras

os.environ["KERAS_BACKEND"] = "numpy"
print(keras.backend.backend())
if keras.backend.backend() != os.environ["KERAS_BACKEND"]:
    raise SystemExit("another backend than the script asks for")
