import tempfile
from pathlib import Path

import keras
import numpy as np

folder = Path(tempfile.mkdtemp())
for label in ("cat", "dog"):
    (folder / label).mkdir()
    for number in range(4):
        keras.utils.save_img(folder / label / f"{number}.png", np.zeros((2, 2, 3)))
data = keras.utils.image_dataset_from_directory(
    folder,
    validation_split=0.5,
    subset="training",
    image_size=(2, 2),
)
print(sorted(Path(path).name for path in data.file_paths))
