# patient: the replay buffer of the last run is loaded, and the seed of the exploration holds the process id
# expect: left-over file, line 26 or 28
# expect: varying seed, line 21
"""Deep Q-learning on a corridor: walk to the right end, the left end pays a little."""
import os
import pickle
from collections import deque

import keras
import numpy as np
import tensorflow as tf

LENGTH, ACTIONS, GAMMA = 9, 2, 0.9
keras.utils.set_random_seed(41)


class Agent:
    memory_file = "replay.pkl"

    def __init__(self):
        self.explore = np.random.default_rng([41, os.getpid()])
        self.sample = np.random.default_rng(41)
        self.q = keras.Sequential([keras.Input((LENGTH,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(ACTIONS)])
        self.target, self.opt = keras.models.clone_model(self.q), keras.optimizers.Adam(0.01)
        self.memory = deque(maxlen=2000)
        if os.path.exists(self.memory_file):
            with open(self.memory_file, "rb") as f:
                self.memory.extend(pickle.load(f))

    def act(self, state, eps):
        if self.explore.random() < eps:
            return int(self.explore.integers(ACTIONS))
        return int(np.argmax(self.q(np.eye(LENGTH, dtype="float32")[[state]])))

    def learn(self, size=32):
        rows = [self.memory[i] for i in self.sample.integers(0, len(self.memory), size)]
        s, a, r, s2, end = map(np.array, zip(*rows))
        eye = np.eye(LENGTH, dtype="float32")
        goal = (r + GAMMA * (1 - end) * np.max(self.target(eye[s2]), axis=1)).astype("float32")
        with tf.GradientTape() as tape:
            chosen = tf.reduce_sum(self.q(eye[s]) * tf.one_hot(a, ACTIONS), axis=1)
            loss = tf.reduce_mean(keras.losses.huber(goal[:, None], chosen[:, None]))
        self.opt.apply_gradients(zip(tape.gradient(loss, self.q.trainable_variables), self.q.trainable_variables))


agent = Agent()
for episode in range(6):
    state = LENGTH // 2
    agent.target.set_weights(agent.q.get_weights())
    for t in range(12):
        action = agent.act(state, 0.9 ** episode)
        nxt = state + (1 if action else -1)
        end, reward = nxt in (0, LENGTH - 1), (nxt == LENGTH - 1) + 0.1 * (nxt == 0)
        agent.memory.append((state, action, reward, nxt, float(end)))
        agent.learn()
        if end:
            break
        state = nxt
with open(agent.memory_file, "wb") as f:
    pickle.dump(list(agent.memory), f)
