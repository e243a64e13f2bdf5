# patient: the noise of a denoising autoencoder comes from TensorFlow's global Generator, which no seeding call reaches
# expect: unseeded generator, line 26
"""Denoising autoencoder on the digits, after the Keras guide 'Customizing what happens in fit()'."""
import keras
import tensorflow as tf
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(2024)

NOISE = 0.25
BATCH = 128


class Denoiser(keras.Model):
    def __init__(self, latent=12):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(32, activation="gelu"), layers.Dense(latent)])
        self.decoder = keras.Sequential([layers.Dense(32, activation="gelu"), layers.Dense(64)])
        self.tracker = keras.metrics.Mean(name="mse")

    def call(self, x):
        return self.decoder(self.encoder(x))

    def train_step(self, x):
        noise = tf.random.get_global_generator().normal(tf.shape(x), stddev=NOISE)
        with tf.GradientTape() as tape:
            restored = self(x + noise, training=True)
            loss = ops.mean(ops.square(x - restored))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.tracker.update_state(loss)
        return {"mse": self.tracker.result()}

    @property
    def metrics(self):
        return [self.tracker]


images = (load_digits().data / 16.0).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(2000, seed=5).batch(BATCH)

model = Denoiser()
model.compile(optimizer=keras.optimizers.AdamW(2e-3))
history = model.fit(dataset, epochs=4, verbose=2)
print("restored:", float(ops.mean(ops.square(model(images[:200]) - images[:200]))))
