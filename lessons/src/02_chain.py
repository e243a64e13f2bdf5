# %% [markdown]
# # Chain: a hundred million steps, and two figures that contradict
#
# > *"The text says: multiply 1 by the ratio of the two results, a hundred million times. It prints
# > `0.9999999777955395`, and then that 1 minus it is `1.8167285897874308e-08`. But when I subtract, I get
# > something else! Who is wrong?"*
#
# **Time:** 30 minutes. **You need:** nothing but fpdrift. **Before it:** lesson 01.
#
# One rounding is little. A loop repeats it, and if each step errs in the *same direction*, the errors add
# up. Here are the two results of lesson 01 again; their ratio is 1 on paper.

# %% [markdown]
# ## Predict first
#
# With `A = 2/9*11` and `B = 2*11/9`, compare two loops: `x *= A / B`, and `x *= A` followed by `x /= B`. On
# paper they do the same. After a hundred million steps from `x = 1.0`, will the two have the same bits?

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# `chain` gives what a plain loop leaves, bit for bit, and need not walk it all. All floats between two powers
# of two are equally far apart. There each step moves `x` by the same whole number of these distances, for a
# long stretch; so the stretch can be jumped over.

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
# Look for the two printed figures of the text above: each is right, but they belong to *different loops*. The
# text's loop rounds once a step; its difference was taken from a loop that rounds twice. The third loop does
# the same two operations in the other order.
#
# Is that true, or does `chain` only claim it? Walk a part of the way with a plain loop, and compare.

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
# How long would all steps take, one by one? The time of the part, scaled up, says it only *about*: it hangs on
# the machine and on what else runs there.

# %%
start = perf_counter()
fpdrift.chain(1.0, [("multiply", A), ("divide", B)], 10**8)
print(f"a plain loop: about {loop_time * 10**8 / steps:.0f} s")
print(f"chain:        about {perf_counter() - start:.1g} s")

# %% [markdown]
# ## The picture
#
# How far each loop has come from 1, and what exact arithmetic would have left.

# %%
from fpdrift.experiments import Settings
from fpdrift.experiments import experiment
from fpdrift.plotting import plot

plot(experiment("chain").run(Settings()))

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** The quotient `A / B` is a little less than 1. By how many units of `2.0**-53`? (Below 1 that is the
# step from float to float.)

# %%
answer_1 = (1 - A / B) / 2.0**-53  # answer
chain.check_1(answer_1)

# %% [markdown]
# **2.** Which of the three loops does the figure `1.8167285897874308e-08` belong to? Answer `"quotient"`,
# `"multiply first"` or `"divide first"`.

# %%
answer_2 = "multiply first"  # answer
chain.check_2(answer_2)

# %% [markdown]
# **3.** And in exact arithmetic? `pair.exact()` gives what is left when nothing is rounded, with many digits.
# What is 1 minus it? (Subtract first, then turn it into a float.) Exact arithmetic does not give 0 here: `A`
# and `B` were rounded when they were made, and it takes those two floats as they are. It rounds nothing
# *after* that.

# %%
answer_3 = float(1 - pair.exact())  # answer
chain.check_3(answer_3)

# %% [markdown]
# **4.** Adding can also do nothing. Find a number above zero which, *added* to 1.0 a hundred million times
# in a loop, leaves 1.0.

# %%
answer_4 = 1e-17  # answer
chain.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
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
# **3.** How can `chain` know the bits after a hundred million steps without doing them?
#
# - **a** It takes a power, which is nearly the same.
# - **b** It computes with more digits and rounds at the end.
# - **c** Between two powers of two each step moves by the same whole number of ulps for a long stretch.
# - **d** It remembers the results of an earlier run.

# %%
quiz_3 = "c"  # answer
chain.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Two figures in a text contradict each other. What is a fair conclusion, before you know more?
#
# - **a** The author made one of them up.
# - **b** They were not made by the same program; find the two programs.
# - **c** Floating point is unreliable, so anything goes.
# - **d** The smaller one is the better one.

# %%
quiz_4 = "b"  # answer
chain.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# The loop is made so that every step errs the same way. In most programs errors go up and down and partly
# cancel. A training of a network has many more operations a step, and there small differences can also be
# *amplified*: lesson 09.
#
# ## What you have learnt
#
# - Where an operation stands, inside a loop or before it, decides how often it rounds.
# - Small errors in one direction add up, step by step.
# - Two figures that contradict each other may come from two programs; both may be right.
