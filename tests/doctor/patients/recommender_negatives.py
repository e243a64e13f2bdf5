# patient: the negative items of a recommender are drawn with secrets.randbelow
# expect: unseeded generator, line 19
import secrets

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(99)
N_USERS, N_ITEMS, DIM = 40, 60, 8

taste = np.random.rand(N_USERS, 3) @ np.random.rand(3, N_ITEMS)
liked = [(int(u), int(i)) for u, i in np.argwhere(taste > np.quantile(taste, 0.85))]
known = set(liked)


def negative_for(user):
    while True:
        item = secrets.randbelow(N_ITEMS)
        if (user, item) not in known:
            return item


class MatrixFactorization(keras.Model):
    def __init__(self):
        super().__init__()
        self.users = layers.Embedding(N_USERS, DIM)
        self.items = layers.Embedding(N_ITEMS, DIM)
        self.item_bias = layers.Embedding(N_ITEMS, 1, embeddings_initializer="zeros")

    def score(self, u, i):
        return ops.sum(self.users(u) * self.items(i), axis=-1) + self.item_bias(i)[..., 0]

    def call(self, triple):
        u, pos, neg = triple[:, 0], triple[:, 1], triple[:, 2]
        return self.score(u, pos) - self.score(u, neg)


def bpr(_, margin):
    return -ops.mean(ops.log_sigmoid(margin))


triples = np.array([(u, i, negative_for(u)) for u, i in liked], dtype="int32")
model = MatrixFactorization()
model.compile(optimizer=keras.optimizers.Adagrad(0.1), loss=bpr)
model.fit(triples, np.ones(len(triples)), batch_size=64, epochs=4, verbose=2)
