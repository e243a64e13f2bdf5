# patient: TF_ENABLE_ONEDNN_OPTS is set after TensorFlow has been imported
# expect: FPD303, line 7
import os
import numpy as np
import tensorflow as tf

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

tf.keras.utils.set_random_seed(7)

# XOR with noise, the classic
bits = np.random.randint(0, 2, (800, 2))
X = bits + np.random.normal(0, 0.2, (800, 2))
y = bits[:, 0] ^ bits[:, 1]

model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(8, activation="tanh"))
model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=tf.keras.optimizers.Adam(0.03), metrics=["accuracy"])
model.fit(X, y, epochs=5, batch_size=40, verbose=0)
print(model.evaluate(X, y, verbose=0))
