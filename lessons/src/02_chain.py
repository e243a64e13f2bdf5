# %% [markdown]
# # Chain: a hundred million steps and two contradictory figures
#
# > *"The text says: multiply 1 by the ratio of the two results, a hundred million times. It prints
# > `0.9999999777955395`, and then says that 1 minus it is `1.8167285897874308e-08`. But when I subtract, I get
# > something else! Who is wrong?"*
#
# **Time:** 30 minutes. **You need:** only fpdrift. **Prerequisites:** lesson 01.
#
# One rounding error is small. A loop repeats it, and if each step errs in the *same direction*, the errors add
# up. Here are the two results of lesson 01 again; on paper their ratio is 1.

# %% [markdown]
# ## Predict first
#
# With `A = 2/9*11` and `B = 2*11/9`, compare two loops: `x *= A / B`, and `x *= A` followed by `x /= B`. On
# paper they do the same. After a hundred million steps from `x = 1.0`, will the two results have the same bits?

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# `chain` computes the result of a plain loop, bit for bit, without running all its steps. All floats between
# two powers of two are equally spaced. There, each step moves `x` by the same whole number of spacings for a
# long time, so `chain` can skip many steps at once.

# %%
import fpdrift
from fpdrift.lessons import chain

A, B = 2 / 9 * 11, 2 * 11 / 9
quotient = fpdrift.chain(1.0, A / B, 10**8)
pair = fpdrift.chain(1.0, [("multiply", A), ("divide", B)], 10**8)
other = fpdrift.chain(1.0, [("divide", B), ("multiply", A)], 10**8)
for name, loop in {"x *= A / B": quotient, "x *= A; x /= B": pair, "x /= B; x *= A": other}.items():
    print(f"{name:15} {float(loop.value)!r}  1 - x = {1 - float(loop.value)!r}")

# %%
chain.check_prediction(prediction)

# %% [markdown]
# Look for the two printed figures of the text above. Each is right, but they belong to *different loops*. The
# loop in the text rounds once per step; its difference was taken from a loop that rounds twice. The third loop
# does the same two operations in the other order.
#
# Can you trust `chain`? Run some of the steps in a plain loop and compare.

# %%
from time import perf_counter

x, steps = 1.0, chain.WALK
start = perf_counter()
for _ in range(steps):
    x *= A
    x /= B
loop_time = perf_counter() - start
jumped = fpdrift.chain(1.0, [("multiply", A), ("divide", B)], steps)
print(f"{steps:,} steps: same bits {x == jumped.value}; chain walked {jumped.looped} of them")

# %% [markdown]
# How long would all the steps take, one by one? The measured time, scaled up, is only an *estimate*: it depends
# on the machine and on what else is running.

# %%
start = perf_counter()
fpdrift.chain(1.0, [("multiply", A), ("divide", B)], 10**8)
print(f"a plain loop: about {loop_time * 10**8 / steps:.0f} s")
print(f"chain:        about {perf_counter() - start:.1g} s")

# %% [markdown]
# ## The picture
#
# The picture shows how far each loop has moved from 1, and what exact arithmetic would give.

# %%
from fpdrift.experiments import Settings
from fpdrift.experiments import experiment
from fpdrift.plotting import plot

plot(experiment("chain").run(Settings()))

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** The quotient `A / B` is a little less than 1. By how many units of `2.0**-53`? (Just below 1, this is
# the step from float to float.)

# %%
answer_1 = (1 - A / B) / 2.0**-53  # answer
chain.check_1(answer_1)

# %% [markdown]
# **2.** To which of the three loops does the figure `1.8167285897874308e-08` belong? Answer `"quotient"`,
# `"multiply first"` or `"divide first"`.

# %%
answer_2 = "multiply first"  # answer
chain.check_2(answer_2)

# %% [markdown]
# **3.** And in exact arithmetic? `pair.exact()` gives, with many digits, the result if nothing is rounded.
# What is 1 minus that? (Subtract first, then convert to a float.) The answer is not 0: `A` and `B` were
# rounded when they were computed, and exact arithmetic starts from those two floats. It rounds nothing *after*
# that.

# %%
answer_3 = float(1 - pair.exact())  # answer
chain.check_3(answer_3)

# %% [markdown]
# **4.** An addition can also have no effect. Find a number above zero which, *added* to 1.0 a hundred million
# times in a loop, leaves 1.0.

# %%
answer_4 = 1e-17  # answer
chain.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why do the two loops end at different numbers?
#
# - **a** The longer loop takes more time, so more errors creep in.
# - **b** Division is less exact than multiplication.
# - **c** One of them overflows on the way.
# - **d** One rounds the ratio once, before the loop; the other rounds twice in every step.

# %%
quiz_1 = "d"  # answer
chain.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Why does the error grow in proportion to the number of steps?
#
# - **a** Each step errs by about the same amount in the same direction.
# - **b** Errors always do that.
# - **c** Because the errors are random.
# - **d** Because the number gets smaller and smaller.

# %%
quiz_2 = "a"  # answer
chain.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** How can `chain` know the bits after a hundred million steps without running them?
#
# - **a** It computes a power, which is nearly the same.
# - **b** It computes with more digits and rounds at the end.
# - **c** Between two powers of two, each step moves by the same whole number of ulps for many steps.
# - **d** It remembers the results of an earlier run.

# %%
quiz_3 = "c"  # answer
chain.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Two figures in a text contradict each other. What is a fair conclusion before you know more?
#
# - **a** The author made one of them up.
# - **b** They were not computed by the same program; find the two programs.
# - **c** Floating point is unreliable, so anything goes.
# - **d** The smaller one is the better one.

# %%
quiz_4 = "b"  # answer
chain.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# The loop was chosen so that every step errs in the same direction. In most programs errors have both signs and
# partly cancel. A training step of a network has many more operations, and there small differences can also be
# *amplified*: see lesson 09.
#
# ## What you have learnt
#
# - Whether an operation is inside a loop or before it determines how often it rounds.
# - Small errors in one direction add up, step by step.
# - Two figures that contradict each other may come from two programs, and both may be right.
