import numpy as np
from sklearn.linear_model import SGDClassifier

x = np.linspace(0, 1, 300).reshape(100, 3)
y = np.arange(100) % 2
print(SGDClassifier(max_iter=5, tol=None).fit(x, y).coef_.tobytes().hex())
