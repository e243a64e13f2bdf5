# patient: op determinism is enabled only after the first of two phases of training
# expect: FPD305, line 40
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(512)
VOCAB, LENGTH = 20, 10


class Block(layers.Layer):
    def __init__(self, dim):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, dim // 2)
        self.norm_1, self.norm_2 = layers.LayerNormalization(), layers.LayerNormalization()
        self.mlp = keras.Sequential([layers.Dense(2 * dim, activation="gelu"), layers.Dense(dim)])

    def call(self, x):
        x = x + self.attention(self.norm_1(x), self.norm_1(x))
        return x + self.mlp(self.norm_2(x))


def copy_task(n):
    x = np.random.randint(1, VOCAB, (n, LENGTH))
    return x, x[:, ::-1].copy()


tokens = layers.Input((LENGTH,), dtype="int32")
places = keras.ops.arange(LENGTH)
h = layers.Embedding(VOCAB, 16)(tokens) + layers.Embedding(LENGTH, 16)(places)
h = Block(16)(h)
logits = layers.Dense(VOCAB)(h)
model = keras.Model(tokens, logits)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])

x, y = copy_task(640)
print("warm-up")
model.fit(x, y, epochs=1, batch_size=64, verbose=2)
tf.config.experimental.enable_op_determinism()
print("main phase")
model.fit(x, y, epochs=2, batch_size=32, verbose=2)
