import numpy as np

np.random.seed(0)  # does not reach the generator
rng = np.random.default_rng()
print(rng.normal(size=4).tobytes().hex())
