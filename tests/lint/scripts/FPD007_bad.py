import numpy as np

np.random.seed()
print(np.random.normal(size=4).tobytes().hex())
