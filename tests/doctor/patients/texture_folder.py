# patient: images are read in the order of os.listdir, which depends on the file system
# expect: FPD203, line 25
import os
import tempfile
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(16)
root = tempfile.mkdtemp()


def write_textures(folder, count=300):
    """Stripes of two directions, saved as text files as a scanner would."""
    for k in range(count):
        angle = 0.4 if k % 2 else 1.2
        yy, xx = np.mgrid[:12, :12]
        phase = np.random.uniform(0, 6)
        image = np.sin(xx * np.cos(angle) + yy * np.sin(angle) + phase) + np.random.normal(0, 0.6, (12, 12))
        np.savetxt(os.path.join(folder, f"scan_{k:04d}_{k % 2}.txt"), image, fmt="%.4f")


write_textures(root)
images, labels = [], []
for name in os.listdir(root):
    if not name.endswith(".txt"):
        continue
    images.append(np.loadtxt(os.path.join(root, name)))
    labels.append(int(name[-5]))
images = np.array(images, dtype="float32")[..., None]
labels = np.array(labels)

model = keras.Sequential([
    layers.Conv2D(6, 5, activation="relu"),
    layers.SpatialDropout2D(0.1),
    layers.GlobalAveragePooling2D(),
    layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=3, batch_size=30, verbose=2)
