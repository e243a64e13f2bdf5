import numpy as np

x = np.random.normal(size=4)
np.random.seed(0)
print(x.tobytes().hex())
