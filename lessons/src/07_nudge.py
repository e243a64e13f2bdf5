# %% [markdown]
# # Nudge: does such a small change have any effect?
#
# > *"They say: add noise of at most `1e-8` to half of your weights, and your training ends somewhere else. But
# > that is almost nothing! Does the computer even notice?"*
#
# **Time:** 30 minutes. **You need:** only fpdrift. **Prerequisites:** lesson 00.
#
# A nudge that is smaller than half the step between two floats is *absorbed*: the sum is rounded back to the
# old weight. Whether this happens depends on how large the *weight* is.

# %% [markdown]
# ## Predict first
#
# Half of the weights of a real network (float32, before training) are nudged by at most `1e-8`. Will *every
# one* of the nudged weights change? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# These are the starting weights of the network in the forum answer, from which this project grew: two
# convolutions, a large and a small dense layer. (Two things are called nudge: `fpdrift.nudge` is the function
# that adds the noise; `nudge` alone is the module of this lesson.)

# %%
import numpy as np

import fpdrift
from fpdrift.lessons import nudge

weights = nudge.weights()
nudged, account = fpdrift.nudge(weights, size=1e-8, fraction=0.5, seed=1)
print(account)

# %%
nudge.check_prediction(prediction, account)

# %%
for tensor in account.tensors:
    share = tensor.changed / tensor.meant
    print(f"{tensor.name:14} {tensor.meant:>9,} meant, {100 * share:5.1f} % changed")

# %% [markdown]
# Biases start at zero, and close to zero floats are dense: every nudge survives there. Scales of the
# normalisation start at one, and none survives there.
#
# ## The picture
#
# The picture shows the weights by size: those selected for a nudge, and those that changed.

# %%
from fpdrift.plotting import plot

plot(account)

# %% [markdown]
# And does *training* end with a different result? The following result was recorded. It compares runs that
# start from nudged weights, with a few draws of the noise, to a repeated run, another thread count and another
# seed:

# %%
study = fpdrift.load_recorded("nudge")
print(f"Recorded on {study.provenance.cpu}, {study.provenance.cores} cores")
print(study.finding)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** What is half an ulp of the float32 weight `0.125`? Give the number. (`fpdrift.anatomy(0.125,
# "float32").ulp` is a whole ulp.)

# %%
answer_1 = float(fpdrift.anatomy(0.125, "float32").ulp) / 2  # answer
nudge.check_1(answer_1)

# %% [markdown]
# **2.** What is the smallest *power of two* `w` to which `1e-8` can be *added* in float32 without changing it?
# Try some: `np.float32(w) + np.float32(1e-8) == np.float32(w)`.

# %%
answer_2 = 0.25  # answer
nudge.check_2(answer_2)

# %% [markdown]
# **3.** How many weights of this network are no larger than the nudge, *without* being exactly zero? The
# account counts the `small` ones, including zeros, and the `zeros`.

# %%
answer_3 = account.small - account.zeros  # answer
nudge.check_3(answer_3)

# %% [markdown]
# **4.** bfloat16 has the range of float32 but fewer digits. Nudge these weights in bfloat16 instead: how many
# change? `nudge.weights("bfloat16")` returns them; keep size, fraction and seed.

# %%
answer_4 = fpdrift.nudge(nudge.weights("bfloat16"), size=1e-8, seed=1)[1].changed  # answer
nudge.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** When is a nudge of a weight absorbed?
#
# - **a** When it is smaller than half the step from the weight to the next float.
# - **b** When it is smaller than the smallest float.
# - **c** When the weight is zero.
# - **d** When it is negative.

# %%
quiz_1 = "a"  # answer
nudge.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Which weights are most sensitive to a tiny nudge?
#
# - **a** The largest.
# - **b** All are equally sensitive.
# - **c** Those close to zero, where floats are dense.
# - **d** Those that are integers.

# %%
quiz_2 = "c"  # answer
nudge.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** You train in bfloat16 and add tiny updates to large weights. What may happen?
#
# - **a** Nothing special: it has the range of float32.
# - **b** Many updates are absorbed, and the weight does not move.
# - **c** The weights overflow.
# - **d** The updates become random.

# %%
quiz_3 = "b"  # answer
nudge.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** A nudge of `1e-8` is said to represent rounding errors. What is true?
#
# - **a** It is exactly what a rounding error is.
# - **b** It is much larger than any rounding.
# - **c** Rounding does not happen in training.
# - **d** It is about the float32 ulp of a weight near a tenth; rounding errors scale with the number.

# %%
quiz_4 = "d"  # answer
nudge.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# Most of the nudges had an effect and changed some last bits. Whether such a bit stays small, disappears, or
# grows until predictions change is a question about *training*: see lessons 08 and 09.
#
# ## What you have learnt
#
# - A change below half an ulp is absorbed: not every selected weight changes.
# - The ulp grows with the weight, so the same nudge survives in small weights and is absorbed in large ones.
# - Fewer digits absorb more: in bfloat16, small updates can vanish altogether.
