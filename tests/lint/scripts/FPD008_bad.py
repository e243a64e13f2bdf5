import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

np.random.seed(0)


def augment(value):
    time.sleep(0)
    return value + np.random.normal()


with ThreadPoolExecutor(8) as pool:
    print(list(pool.map(augment, range(3000))))
