# patient: several actor threads put their episodes into one queue, and the learner takes them as they arrive
# expect: thread race, line 29 or 53
"""A toy actor-learner: actors walk on a line of 9 cells, the learner fits Q."""
import queue
import threading

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1992)
CELLS, GAMMA, EPISODES = 9, 0.9, 25
experience = queue.Queue(maxsize=16)


class Actor(threading.Thread):
    def __init__(self, number):
        super().__init__(daemon=True)
        self.rng = np.random.default_rng(number)

    def run(self):
        for _ in range(EPISODES):
            position, path = CELLS // 2, []
            while 0 < position < CELLS - 1:
                action = int(self.rng.integers(2))
                following = position + (1 if action else -1)
                path.append((position, action, float(following == CELLS - 1), following))
                position = following
            experience.put(path)


actors = [Actor(n) for n in range(4)]
for actor in actors:
    actor.start()

q_net = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
q_net.build((None, CELLS))
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(q_net.trainable_variables)


@tf.function(reduce_retracing=True)
def learn(state, action, reward, following, done):
    best = tf.reduce_max(q_net(tf.one_hot(following, CELLS)), axis=1)
    target = tf.stop_gradient(reward + GAMMA * best * (1.0 - done))
    with tf.GradientTape() as tape:
        q = tf.reduce_sum(q_net(tf.one_hot(state, CELLS)) * tf.one_hot(action, 2), axis=1)
        loss = tf.reduce_mean((q - target) ** 2)
    optimizer.apply_gradients(zip(tape.gradient(loss, q_net.trainable_variables), q_net.trainable_variables))


for _ in range(EPISODES * len(actors)):
    path = experience.get()
    state, action, reward, following = map(np.array, zip(*path))
    done = ((following == 0) | (following == CELLS - 1)).astype("float32")
    learn(state, action, reward.astype("float32"), following, done)
print(q_net.predict(np.eye(CELLS, dtype="float32"), verbose=0).round(3))
