# %% [markdown]
# # GPU: sums in the order in which blocks finish
#
# > *"On the GPU, each run of the same code gives a different loss. On the CPU it did not. Is it impossible to get
# > reproducible results on a GPU?"*
#
# **Time:** 30 minutes. **You need:** only fpdrift; a GPU is used if there is one. **Prerequisites:** lessons
# 04 and 05.
#
# A GPU has thousands of threads, grouped in blocks. Inside a block the order can be fixed, but the blocks
# finish in no guaranteed order. In some programs each block adds its sum to the total as soon as it is done
# (an *atomic* addition): one pass, in the order of arrival of lesson 04. In others the blocks store their
# sums, and a second pass adds them in a fixed order.

# %% [markdown]
# ## Predict first
#
# The same numbers are summed many times. Each time the blocks add to the total as they finish. Will all these
# totals have the same bits? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# This is a *simulation*: the blocks' additions are done on the CPU, in a random order. It shows which results
# are possible. It cannot show how often each occurs on a real GPU. There are three ways of adding:
#
# - *one-pass*: each block sums its numbers in a fixed order, then adds its sum to the total when it is done;
# - *two-pass*: the blocks store their sums, and a second pass adds these in a fixed order;
# - *atomic sum*: every single number is added to the total when its thread gets there.

# %%
import fpdrift
from fpdrift.lessons import gpu

result = fpdrift.gpu_sums("simulated", sizes=gpu.SIZES, tries=gpu.TRIES)
print(result.label)
for run in result.runs:
    print(f"{run.operation:11} {run.n:>9,} numbers, {run.tries:3} tries; results: {run.distinct}")

# %%
gpu.check_prediction(prediction, result)

# %% [markdown]
# Training is full of such sums. For example, the gradient of a weight is a sum over the batch. If the
# last bit of the total is different, the gradient is different, and so is the weight after the step.
#
# What about a real GPU? This cell asks the libraries on this machine for one, and looks for recordings of one
# that came with fpdrift. It reports what it found.

# %%
print(gpu.real())

# %% [markdown]
# ## The picture
#
# `V_s` is 1 minus the ratio of a total to the total in fixed order; 0 means equal. Does its size grow with the
# count of numbers?

# %%
from fpdrift.plotting import plot

plot(result)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** How many different results did the one-pass sum of the *most* numbers give? `result.of("one-pass")`
# lists its runs, by size.

# %%
answer_1 = result.of("one-pass")[-1].distinct  # answer
gpu.check_1(answer_1, result)

# %% [markdown]
# **2.** And the two-pass sum of the most numbers? (It is deterministic, so use
# `result.of("two-pass", deterministic=True)`.)

# %%
answer_2 = result.of("two-pass", deterministic=True)[-1].distinct  # answer
gpu.check_2(answer_2, result)

# %% [markdown]
# **3.** Each block of the simulated program has several threads, and each thread adds several numbers. How many
# blocks are needed for `100_000` numbers? (The last one may be partly empty.)

# %%
from fpdrift.reduction import GpuKernel

kernel = GpuKernel()
print(
    f"{kernel.threads_per_block} threads in a block, {kernel.elements_per_thread} numbers in a thread"
)

# %%
answer_3 = -(-100_000 // (kernel.inputs_per_block))  # answer
gpu.check_3(answer_3)

# %% [markdown]
# **4.** Two totals of the same numbers are `1000000.25` and `1000000.0`; the second is the reference. What is
# `V_s`, which is 1 minus the size of the first divided by the second?

# %%
answer_4 = 1 - abs(1000000.25 / 1000000.0)  # answer
gpu.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why does the result differ from run to run?
#
# - **a** Because of the GPU's random numbers.
# - **b** Because of overheating.
# - **c** Because its arithmetic is less exact: GPUs round differently.
# - **d** Because of the order in which blocks finish and add to the total.

# %%
quiz_1 = "d"  # answer
gpu.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Why does the two-pass sum not have that problem?
#
# - **a** It is computed on the CPU.
# - **b** The blocks' sums are stored and added in an order that does not depend on which finished first.
# - **c** It uses more bits.
# - **d** It waits until the GPU is idle.

# %%
quiz_2 = "b"  # answer
gpu.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** What can this lesson's simulation *not* show?
#
# - **a** How often a real GPU gives each result.
# - **b** That another order of blocks gives different bits.
# - **c** That a fixed order gives one result.
# - **d** How far apart results in those orders are.

# %%
quiz_3 = "a"  # answer
gpu.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** "Reproducible results on a GPU are impossible." Which answer is fair?
#
# - **a** True: it is a property of the hardware.
# - **b** False: all GPU programs are reproducible if seeded.
# - **c** Not quite: if each operation adds in a fixed order, the same GPU can give the same bits, maybe more slowly.
# - **d** True, unless one thread is used.

# %%
quiz_4 = "c"  # answer
gpu.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# The simulated orders are all equally likely; real ones are not. Whether a *framework* keeps its promise of
# determinism on your GPU can only be measured there. `fpdrift record-gpu` measures it and writes a file that
# others can read. Other GPUs have other trees: the same bits on another model are a different promise.
#
# ## What you have learnt
#
# - With atomic additions, timing determines the order of the blocks, and so the last bits.
# - A second pass in a fixed order gives the same bits each time; it may take more work.
# - Say where a figure comes from: simulated, recorded and live are three different things.
