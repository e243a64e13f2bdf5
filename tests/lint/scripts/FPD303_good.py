import os

os.environ["KERAS_BACKEND"] = "numpy"

import keras

print(keras.backend.backend())
if keras.backend.backend() != os.environ["KERAS_BACKEND"]:
    raise SystemExit("another backend than the script asks for")
