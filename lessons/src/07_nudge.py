# %% [markdown]
# # Nudge: does so small a change arrive at all?
#
# > *"They say: add noise of at most `1e-8` to half of your weights, and your training ends somewhere else. But
# > that is nothing! Does the computer even notice?"*
#
# **Time:** 30 minutes. **You need:** nothing but fpdrift. **Before it:** lesson 00.
#
# A nudge that is smaller than half the step between two floats is *absorbed*: the sum is rounded back to the
# old weight. Whether it is depends on how large the *weight* is.

# %% [markdown]
# ## Predict first
#
# Half of the weights of a real network (float32, as it is before training) are nudged by at most `1e-8`. Will
# *every one* of the nudged weights change? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# These are the starting weights of the network that this project grew out of: two convolutions, a large and a
# small dense layer. (Mind the two things called nudge: `fpdrift.nudge` is the function that adds the noise,
# `nudge` alone is this lesson's module.)

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
# Biases start at zero, and close to zero the floats lie dense: every nudge survives there. Scales of the
# normalisation start at one, and there none does.
#
# ## The picture
#
# The weights by size: those meant, and those that changed.

# %%
from fpdrift.plotting import plot

plot(account)

# %% [markdown]
# And does the *training* end somewhere else? One that starts from nudged weights was recorded, a few draws of
# the noise beside a run repeated, another thread count and another seed:

# %%
study = fpdrift.load_recorded("nudge")
print(f"Recorded on {study.provenance.cpu}, {study.provenance.cores} cores")
print(study.finding)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** What is half an ulp of the float32 weight `0.125`? Give the number. (`fpdrift.anatomy(0.125,
# "float32").ulp` is the whole one.)

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
# account counts `small` ones, zeros included, and `zeros`.

# %%
answer_3 = account.small - account.zeros  # answer
nudge.check_3(answer_3)

# %% [markdown]
# **4.** bfloat16 has float32's range, with fewer digits. Nudge these weights in bfloat16 instead: how many
# change? `nudge.weights("bfloat16")` gives them; keep size, fraction and seed.

# %%
answer_4 = fpdrift.nudge(nudge.weights("bfloat16"), size=1e-8, seed=1)[1].changed  # answer
nudge.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
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
# **2.** Which weights feel a tiny nudge most?
#
# - **a** The largest.
# - **b** All alike.
# - **c** Those close to zero, where floats lie dense.
# - **d** Those that are whole numbers.

# %%
quiz_2 = "c"  # answer
nudge.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** You train in bfloat16, and add tiny updates to large weights. What may happen?
#
# - **a** Nothing special: it has float32's range.
# - **b** Many updates are absorbed, and the weight stands still.
# - **c** The weights overflow.
# - **d** The updates become random.

# %%
quiz_3 = "b"  # answer
nudge.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** A nudge of `1e-8` is said to stand for rounding errors. What is true?
#
# - **a** It is exactly what a rounding error is.
# - **b** It is much larger than any rounding.
# - **c** Rounding does not happen in training.
# - **d** It is of the size of the float32 ulp of a weight near a tenth; rounding errors scale with the number.

# %%
quiz_4 = "d"  # answer
nudge.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# Most of the nudges did arrive, and left some last bits behind. Whether such a bit stays a bit, dies out, or
# grows until predictions change is a question for a *training*: lessons 08 and 09.
#
# ## What you have learnt
#
# - A change below half an ulp is absorbed: meant is not the same as changed.
# - The ulp grows with the weight, so the same nudge survives in small weights and dies in large ones.
# - Fewer digits absorb more: in bfloat16 small updates can vanish altogether.
