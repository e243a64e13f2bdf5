# patient: the sampler of mini-batches has a generator whose seed is the process id
# expect: varying seed, line 18
import os

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(2)


class EdgeSampler:
    """Uniform mini-batches of the edges of a graph, one sampler per process."""

    def __init__(self, edges, batch_size):
        self.edges = edges
        self.batch_size = batch_size
        self._rng = np.random.default_rng([2, os.getpid()])

    def __iter__(self):
        order = self._rng.permutation(len(self.edges))
        for start in range(0, len(order) - self.batch_size + 1, self.batch_size):
            yield self.edges[order[start:start + self.batch_size]]


n_nodes, dim = 50, 6
i, j = np.triu_indices(n_nodes, 1)
near = (np.abs(i - j) <= 4).astype("int32")
edges = np.stack([i, j, near], axis=1).astype("int32")

vectors = keras.layers.Embedding(n_nodes, dim)
vectors.build()
bias = tf.Variable(0.0)
weights = [vectors.embeddings.value, bias]
opt = keras.optimizers.SGD(0.5, momentum=0.9)


def loss_of(batch):
    a, b = vectors(batch[:, 0]), vectors(batch[:, 1])
    logits = tf.reduce_sum(a * b, axis=1) + bias
    target = tf.cast(batch[:, 2], tf.float32)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))


for epoch in range(3):
    total = 0.0
    for batch in EdgeSampler(edges, 64):
        with tf.GradientTape() as tape:
            loss = loss_of(batch)
        opt.apply_gradients(zip(tape.gradient(loss, weights), [vectors.embeddings, bias]))
        total += float(loss)
    print(f"epoch {epoch}: {total:.4f}")
