import numpy as np

np.random.seed(0)
x = np.random.normal(size=4)
print(x.tobytes().hex())
