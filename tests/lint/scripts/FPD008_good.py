import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def augment(value):
    time.sleep(0)
    return value + np.random.default_rng(value).normal()


with ThreadPoolExecutor(8) as pool:
    print(list(pool.map(augment, range(3000))))
