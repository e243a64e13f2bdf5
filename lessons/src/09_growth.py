# %% [markdown]
# # Growth: how one last bit leads to a different network
#
# > *"Two runs differ in one last bit after the first step. That is almost nothing! How can it matter in the end?
# > And is every difference between two runs due to rounding?"*
#
# **Time:** 40 minutes. **You need:** only fpdrift; with TensorFlow it looks at your own runs too.
# **Prerequisites:** lesson 08.
#
# A training step takes two states that are slightly apart and returns two states that are farther apart or
# closer together. The existing difference is *amplified*. The difference from rounding in this step is
# *injected*.
#
# There are two measures. The **distance** is how far apart the weights of the two runs are, divided by their
# size. The **churn** is the share of test images that the two runs assign to different classes.

# %% [markdown]
# ## Predict first
#
# A network was trained on photographs of clothes for many epochs, with one thread and with two. At the end,
# how many of a hundred predictions are in a *different class*? Give a whole number.

# %%
prediction = 5  # answer

# %% [markdown]
# ## Look
#
# These two runs take a long time, so they were recorded. The output is from that machine.

# %%
import fpdrift
from fpdrift.lessons import growth

long = fpdrift.load_recorded("long")
print(f"Recorded on {long.provenance.cpu}, {long.provenance.cores} cores; {long.data}")
for epoch in long.epochs[::3]:
    print(f"step {epoch.step:>6,}: distance {epoch.distance:.2f}, churn {100 * epoch.churn:.1f} %")

# %%
growth.check_prediction(prediction)

# %% [markdown]
# Here is the whole finding. *The loop* is that of lesson 02: how many training steps make as many operations?
# The weights of at most `1e-8` are those that a nudge of lesson 07 could replace.

# %%
print(long.finding)

# %% [markdown]
# ## The picture
#
# The picture shows the distance of the weights by step; both axes are logarithmic. A *jump* is a step that
# multiplies the distance far more than the steps around it. It is often caused by a *gate*: a ReLU whose input
# is so close to zero that it is open in one run and closed in the other. A *power law* (the distance is the
# step to a fixed power) is a straight line here. This curve is not straight; it bends. The numbers at the
# bottom right are its slopes, one for each decade of steps. At the end the distance hardly grows any more.

# %%
from fpdrift.plotting import plot

plot(long.growth).set_xscale("log")

# %% [markdown]
# Two shorter runs, also recorded, were searched for the gate behind a jump. *relu3* is a layer, and a *unit* is
# one of its numbers:

# %%
gate = fpdrift.load_recorded("gate")
print(f"Recorded on {gate.provenance.cpu}, {gate.provenance.cores} cores")
print(gate.finding)

# %% [markdown]
# And which law do the runs of lesson 08 on *this* machine follow?

# %%
print(growth.live())

# %% [markdown]
# ## Amplified or injected?
#
# A small system shows the difference: $x \to 4x(1-x)$, written in two ways that are equal on paper. In each
# step their roundings differ by at most one ulp of one, and often not at all (injected). On average, each step
# about doubles the existing difference (amplified).

# %%
first, second = growth.two_writings(60)
for step in range(0, 61, 10):
    injected = abs(growth.one(second[step]) - growth.other(second[step]))
    print(f"step {step:2}: apart {abs(first[step] - second[step]):.1e}, injected {injected:.1e}")

# %% [markdown]
# The injected difference stays tiny in every step and is zero in many; the existing difference is what grows.
# This was shown for the map. For training, `fpdrift.step_debug.split_steps` makes the same split; run it before
# you believe it.
#
# ## Not every difference is drift
#
# Labels usually name one class. If an image may have several labels, as in the recorded runs of lesson 08,
# they need not sum to 1. For the slope of the loss TensorFlow may then use a shortcut, `softmax - labels`,
# which is right only if the labels sum to one. Otherwise it is a *different computation*, and rounding cannot
# explain the difference. To check a slope without any formula, move each input (*logit*) slightly up and down
# and see how the loss changes: `by_differences`.

# %%
logits, labels = growth.LOGITS, growth.LABELS
print("short cut:     ", growth.softmax(logits) - labels)
print("by differences:", growth.by_differences(logits, labels))

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** At which step of the recorded runs is the *largest* jump? `long.growth.jumps` lists them.

# %%
answer_1 = max(long.growth.jumps, key=lambda jump: jump.factor).step  # answer
growth.check_1(answer_1)

# %% [markdown]
# **2.** At which step do the two writings of $4x(1-x)$ *first* differ by more than a tenth?

# %%
apart = [abs(a - b) > 0.1 for a, b in zip(first, second)]
answer_2 = apart.index(True)  # answer
growth.check_2(answer_2)

# %% [markdown]
# **3.** How much is *injected* by the step that starts from `second[30]`? That is, how far apart are the two
# writings after one step if both start there?

# %%
answer_3 = abs(growth.one(second[30]) - growth.other(second[30]))  # answer
growth.check_3(answer_3)

# %% [markdown]
# **4.** Fix the shortcut: write the gradient (the slopes) so that it is the gradient of the loss for labels of
# *any* sum. The loss is minus the sum of `labels` times the logarithm of `softmax`.


# %%
def gradient(logits, labels):
    return labels.sum() * growth.softmax(logits) - labels  # answer


# %%
growth.check_4(gradient)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** In the two writings of $4x(1-x)$, where does most of the distance come from after many steps?
#
# - **a** From the sum of all roundings.
# - **b** From the last step.
# - **c** From faulty hardware.
# - **d** From small differences that were amplified, step by step.

# %%
quiz_1 = "d"  # answer
growth.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Which of these can cause a jump?
#
# - **a** A ReLU that is open in one run and closed in the other.
# - **b** A larger batch.
# - **c** A change of the learning rate.
# - **d** A new epoch.

# %%
quiz_2 = "a"  # answer
growth.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** The weights of two runs are as far apart as they are large. Then...
#
# - **a** one of them has not learnt anything.
# - **b** they may still agree on most images: a distance in weights is not a distance in predictions.
# - **c** all predictions differ.
# - **d** their losses must differ as much.

# %%
quiz_3 = "b"  # answer
growth.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** The gradients of two runs differ by a third of their size at the *first* step. What is the likely
# cause?
#
# - **a** Rounding: it grows quickly.
# - **b** Another thread count.
# - **c** A different computation: rounding in float32 cannot cause that much in one step.
# - **d** One ulp in a weight.

# %%
quiz_4 = "c"  # answer
growth.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# Two runs are one pair; other pairs have jumps at other steps. The map $4x(1-x)$ doubles a difference in each
# step, on average; training need not, and the picture above shows what this one did. For your own runs,
# `fpdrift.step_debug.find_gates` shows which gate caused a jump.
#
# ## What you have learnt
#
# - A step injects a tiny difference; what matters is that steps amplify the existing difference.
# - Growth comes in jumps, often from a gate that opens in one run only, and slows down.
# - Not every difference is drift: look at the first step before you blame rounding.
