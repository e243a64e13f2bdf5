# patient: the SeedGenerator of mixup is made when the module is loaded, before main() sets the seed
# expect: unseeded generator, line 8
import keras
import numpy as np
import tensorflow as tf
from keras import layers

MIX_SEEDS = keras.random.SeedGenerator()
ALPHA = 0.2


class MixupModel(keras.Sequential):
    def train_step(self, data):
        x, y = data
        n = tf.shape(x)[0]
        lam = keras.random.beta((), ALPHA, ALPHA, seed=MIX_SEEDS)
        partner = tf.reverse(tf.range(n), [0])
        x = lam * x + (1 - lam) * tf.gather(x, partner)
        y = lam * y + (1 - lam) * tf.gather(y, partner)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def make_spirals(n, classes=3):
    r = np.linspace(0.1, 1, n)
    xs, ys = [], []
    for k in range(classes):
        theta = 4 * r + 2 * np.pi * k / classes + np.random.normal(0, 0.15, n)
        xs.append(np.c_[r * np.sin(theta), r * np.cos(theta)])
        ys.append(np.full(n, k))
    return np.concatenate(xs).astype("float32"), keras.utils.to_categorical(np.concatenate(ys))


def main():
    keras.utils.set_random_seed(21)
    x, y = make_spirals(200)
    model = MixupModel([layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(3, "softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    model.fit(x, y, batch_size=50, epochs=4, verbose=2)


main()
