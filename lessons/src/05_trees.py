# %% [markdown]
# # Trees: in which order does NumPy add?
#
# > *"I add the same numbers with `np.sum`, with a loop and with `np.dot`, and get three results. The manual
# > does not say in which order they add. Can I find out?"*
#
# **Time:** 35 minutes. **You need:** only fpdrift. **Prerequisites:** lessons 03 and 04.
#
# A sum of many numbers is a *tree*: each join is one addition of two partial sums. You can find a function's
# tree from outside. Put a huge number and its negative among ones. A one that is added to the huge number
# first is lost; a one that is added after the two have cancelled survives. So the total counts the survivors.
# Trees are printed with positions, not values: `((0+2)+(1+3))` adds the first and the third number, the second
# and the fourth, and then both sums.

# %% [markdown]
# ## Predict first
#
# Does `np.sum` add sixteen float32 numbers one after the other, as a loop would? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# Four numbers are added in pairs of neighbours, `((0+1)+(2+3))`, and one by one. Each total counts the ones
# that survived. Together, the totals distinguish the two trees.

# %%
import numpy as np

import fpdrift
from fpdrift.lessons import trees

huge = 1e20
for x in ([huge, -huge, 1, 1], [huge, 1, -huge, 1], [1, 1, huge, -huge]):
    pairs = (x[0] + x[1]) + (x[2] + x[3])
    print(f"{x!s:24} in pairs: {pairs:.0f}   one by one: {trees.loop(np.array(x)):.0f}")

# %% [markdown]
# `reveal` accepts any function that adds. It calls the function many times, constructs the tree, and then runs
# that tree on other data. It says *confirmed* only if the bits agree every time.

# %%
found = fpdrift.reveal(np.sum, 16)
print(found)

# %%
trees.check_prediction(prediction, found)

# %% [markdown]
# ## The picture
#
# Read it from the bottom up: first the inputs, then the partial sums that are joined.

# %%
from fpdrift.plotting import plot

plot(found)

# %% [markdown]
# A confirmed tree is a *program*: run it on new numbers, without NumPy's sum, and you get NumPy's bits.

# %%
x = np.random.default_rng(1).normal(size=16).astype("float32")
print("np.sum          ", np.sum(x))
print("the tree, run   ", fpdrift.run_plan(found.plan, x))
print("a plain loop    ", trees.loop(x))

# %% [markdown]
# ## The tree depends on the shape
#
# A library chooses its tree by the shape of its input. So the result of *one row* may depend on how many other
# rows are computed with it: the batch size changes bits. Here a row is multiplied by a matrix, alone and in
# batches. Batch sizes in the same parentheses gave the same bits.

# %%
print(trees.batches())

# %% [markdown]
# Can results many ulps apart still differ only in last bits? Yes. A result may be close to zero because large
# numbers cancelled (the condition number of lesson 03). Floats are dense there, so an ulp is tiny: a last bit
# of the numbers that were added is many ulps of such a result.
#
# The processor matters too: wider instructions add more numbers side by side. `fpdrift batch --conditions`
# tries the instruction sets of this machine, each in a fresh process. The following result was recorded on one
# machine. Conditions in the same parentheses gave the same bits:

# %%
print(trees.conditions())

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** In a plain loop over sixteen numbers, the first number goes through every addition. If they are added
# pairwise, what is the largest number of additions that any number goes through? (`plans.pairwise(16)` is that
# plan, and a plan has a `depth`.)

# %%
from fpdrift.reduction import plans

answer_1 = plans.pairwise(16).depth  # answer
trees.check_1(answer_1)

# %% [markdown]
# **2.** Write a function that adds four numbers as `(x[0] + x[2]) + (x[1] + x[3])`. The check reveals its tree.


# %%
def mine(x):
    return (x[0] + x[2]) + (x[1] + x[3])  # answer


# %%
trees.check_2(mine)

# %% [markdown]
# **3.** Find three float32 numbers `[a, b, c]` for which `(a + b) + c` and `a + (b + c)` differ.

# %%
answer_3 = [1.0, 1e8, -1e8]  # answer
trees.check_3(answer_3)

# %% [markdown]
# **4.** Let NumPy add the numbers *backwards*: `lambda x: np.sum(x[::-1])`. Does it add in the same order as
# `np.sum`? Call `fpdrift.same_order(first, second, 16)` and use its `.same`.

# %%
answer_4 = fpdrift.same_order(np.sum, lambda x: np.sum(x[::-1]), 16).same  # answer
trees.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why would a library not add one number after the other?
#
# - **a** To use several accumulators side by side, which is faster and usually more accurate.
# - **b** To make results random.
# - **c** Because the memory is read backwards.
# - **d** To hide its method.

# %%
quiz_1 = "a"  # answer
trees.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** `reveal` says *confirmed*. What does that mean?
#
# - **a** The documentation says the same.
# - **b** The sum is exact.
# - **c** The tree, run on other data, gave the function's own bits every time.
# - **d** The function is deterministic on every machine.

# %%
quiz_2 = "c"  # answer
trees.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** The same row of data gives different bits alone and in a batch. What may be the reason?
#
# - **a** The other rows leak into it.
# - **b** The library picks another tree for another shape.
# - **c** The batch is shuffled.
# - **d** The row is rounded when it is copied.

# %%
quiz_3 = "b"  # answer
trees.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** You move a program to a machine with wider vector instructions and the same library version. You should
# expect...
#
# - **a** the same bits, since the program is the same.
# - **b** a crash.
# - **c** more accurate results only.
# - **d** possibly different last bits: wider instructions can mean another tree.

# %%
quiz_4 = "d"  # answer
trees.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# The tree found here is that of this version of NumPy, this machine and this shape. It may change with any of
# them. And a function need not have a tree: an exact sum has none, and a sum in order of arrival has a
# different one each time. `reveal` then says so and gives the reason.
#
# ## What you have learnt
#
# - A sum is a tree, and each library function has its own; the tree determines the bits.
# - A tree can be revealed from outside and checked by running it.
# - Shape, batch size and instruction set can change the tree: same numbers, different last bits.
