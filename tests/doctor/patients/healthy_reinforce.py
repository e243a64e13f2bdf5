# patient: nothing is planted; a policy gradient with actions drawn from one seeded generator
# expect: nothing
import collections

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(50)
rng = np.random.default_rng(50)
ARMS = np.array([[0.2, 0.8], [0.6, 0.3], [0.5, 0.9]])  # chance to win by context and arm
Play = collections.namedtuple("Play", "context action reward")


class Policy(keras.Model):
    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(3, 8)
        self.logits = keras.layers.Dense(2)

    def call(self, context):
        return self.logits(self.table(context))


policy, adam = Policy(), keras.optimizers.Adam(0.02)
seen = set()
for episode in range(40):
    context = rng.integers(0, 3, 32)
    p = tf.nn.softmax(policy(context)).numpy()
    action = (rng.random(32) > p[:, 0]).astype(int)
    reward = (rng.random(32) < ARMS[context, action]).astype("float32")
    plays = Play(context, action, reward - reward.mean())
    seen |= {f"{c}-{a}" for c, a in zip(context, action)}
    with tf.GradientTape() as tape:
        log_p = tf.nn.log_softmax(policy(plays.context))
        chosen = tf.reduce_sum(log_p * tf.one_hot(plays.action, 2), axis=1)
        loss = -tf.reduce_mean(chosen * plays.reward)
    adam.apply_gradients(zip(tape.gradient(loss, policy.trainable_variables), policy.trainable_variables))
    if episode % 10 == 0:
        print(episode, "mean reward", reward.mean(), "combinations", len(seen))
