# patient: the generator of a GAN gets its latent points from a tf.random.Generator that starts from a nondeterministic state
# expect: unseeded generator, line 9
import keras
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(3)
LATENT = 4
latent_rng = tf.random.Generator.from_non_deterministic_state()
real_rng = tf.random.Generator.from_seed(99)


def real_points(n):
    """Points on a noisy circle."""
    angle = real_rng.uniform((n,), 0.0, 6.2831853)
    circle = tf.stack([tf.cos(angle), tf.sin(angle)], axis=1)
    return circle + real_rng.normal((n, 2), stddev=0.05)


gen = keras.Sequential([layers.Input((LATENT,)), layers.Dense(32, activation="relu"), layers.Dense(2)])
disc = keras.Sequential([layers.Input((2,)), layers.Dense(32), layers.LeakyReLU(0.2), layers.Dense(1)])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
gen_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
disc_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def train_step(real):
    n = tf.shape(real)[0]
    z = latent_rng.normal((n, LATENT))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = gen(z, training=True)
        fake_logits, real_logits = disc(fake), disc(real)
        d_loss = bce(tf.ones_like(real_logits), real_logits)
        d_loss += bce(tf.zeros_like(fake_logits), fake_logits)
        g_loss = bce(tf.ones_like(fake_logits), fake_logits)
    d_grads = d_tape.gradient(d_loss, disc.trainable_variables)
    g_grads = g_tape.gradient(g_loss, gen.trainable_variables)
    disc_opt.apply_gradients(zip(d_grads, disc.trainable_variables))
    gen_opt.apply_gradients(zip(g_grads, gen.trainable_variables))
    return d_loss, g_loss


disc_opt.build(disc.trainable_variables)
gen_opt.build(gen.trainable_variables)
for step in range(150):
    d_loss, g_loss = train_step(real_points(64))
    if step % 50 == 0:
        print(f"step {step:4d}  D {float(d_loss):.4f}  G {float(g_loss):.4f}")
