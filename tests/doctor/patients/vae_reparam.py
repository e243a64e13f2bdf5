# patient: the reparametrisation of a VAE draws with tf.random.normal, and TensorFlow's seed is not set
# expect: unseeded generator, line 24
import random
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

random.seed(1234)
np.random.seed(1234)


class VAE(keras.Model):
    def __init__(self, latent_dim=2, beta=0.5, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta
        self.encoder = keras.Sequential([layers.Dense(48, activation="elu"), layers.Dense(2 * latent_dim)])
        self.decoder = keras.Sequential([layers.Dense(48, activation="elu"), layers.Dense(64)])
        self.loss_tracker = keras.metrics.Mean(name="elbo")

    def encode(self, x):
        mean, logvar = tf.split(self.encoder(x), 2, axis=1)
        eps = tf.random.normal(tf.shape(mean))
        return mean + eps * tf.exp(0.5 * logvar), mean, logvar

    def train_step(self, x):
        with tf.GradientTape() as tape:
            z, mean, logvar = self.encode(x)
            logits = self.decoder(z)
            rec = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=1)
            kl = -0.5 * tf.reduce_sum(1 + logvar - mean**2 - tf.exp(logvar), axis=1)
            loss = tf.reduce_mean(rec + self.beta * kl)
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    @property
    def metrics(self):
        return [self.loss_tracker]


data = load_digits().data.astype("float32") / 16.0
np.random.shuffle(data)
vae = VAE()
vae.compile(optimizer=keras.optimizers.Adam(3e-3))
vae.fit(data, epochs=5, batch_size=100, shuffle=False, verbose=2)
