# %% [markdown]
# # GPU: the fastest order is the next one to finish
#
# > *"On the GPU each run of the same code gives another loss. On the CPU it did not. Is it impossible to get
# > reproducible results on a GPU?"*
#
# **Time:** 30 minutes. **You need:** nothing but fpdrift; a GPU is used if there is one. **Before it:**
# lessons 04 and 05.
#
# A GPU has thousands of threads in blocks. Inside a block the order can be fixed. But the blocks finish in no
# promised order, and in some programs each adds its sum to the total as soon as it is done (an *atomic*
# addition): one pass, and the order of arrival of lesson 04. Others write their sums down, and a second pass
# adds them in a fixed order.

# %% [markdown]
# ## Predict first
#
# The same numbers are summed many times over. Each time the blocks add to the total as they finish. Will all
# these totals have the same bits? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# This is a *simulation*: the blocks' additions are done on the CPU, in a drawn order. It says which results
# there can be; how often each comes on a real GPU it cannot say. Three ways of adding:
#
# - *one-pass*: each block sums its numbers in a fixed order, then adds its sum to the total when it is done;
# - *two-pass*: the blocks write their sums down, and a second pass adds these in a fixed order;
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
# In a training such sums are everywhere: the gradient of a weight, for one, is a sum over the batch. A total
# that ends on another last bit is another gradient, and another weight after the step.
#
# And a real one? This cell asks the libraries on this machine for a GPU, and looks for recordings of one that
# came with fpdrift. It says what it found.

# %%
print(gpu.real())

# %% [markdown]
# ## The picture
#
# `V_s` is 1 minus the ratio of a total to the fixed order's total; 0 means equal. Does its size grow with the
# count of numbers?

# %%
from fpdrift.plotting import plot

plot(result)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** How many different results did the one-pass sum of the *most* numbers give? `result.of("one-pass")`
# lists its runs, by size.

# %%
answer_1 = result.of("one-pass")[-1].distinct  # answer
gpu.check_1(answer_1, result)

# %% [markdown]
# **2.** And the two-pass sum of the most numbers? (It is deterministic, so ask
# `result.of("two-pass", deterministic=True)`.)

# %%
answer_2 = result.of("two-pass", deterministic=True)[-1].distinct  # answer
gpu.check_2(answer_2, result)

# %% [markdown]
# **3.** Each block of the simulated program has threads, and each thread adds some numbers. How many blocks
# does it take for `100_000` numbers? (The last may be partly empty.)

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
# `V_s`, which is 1 minus the size of the first over the second?

# %%
answer_4 = 1 - abs(1000000.25 / 1000000.0)  # answer
gpu.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
#
# **1.** Where does the other result from run to run come from?
#
# - **a** From the random numbers of the GPU.
# - **b** From overheating.
# - **c** From less exact arithmetic: GPUs round otherwise.
# - **d** From the order in which blocks finish and add to the total.

# %%
quiz_1 = "d"  # answer
gpu.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Why does the two-pass sum not have that trouble?
#
# - **a** It is computed on the CPU.
# - **b** The blocks' sums are kept, and added in an order that does not ask who was first.
# - **c** It uses more bits.
# - **d** It waits until the GPU is idle.

# %%
quiz_2 = "b"  # answer
gpu.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** What can this lesson's simulation *not* tell?
#
# - **a** How often a real GPU gives each result.
# - **b** That another order of blocks gives other bits.
# - **c** That a fixed order gives one result.
# - **d** How far apart results in those orders are.

# %%
quiz_3 = "a"  # answer
gpu.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** "Reproducible results on a GPU are impossible." Which answer is fair?
#
# - **a** True: it lies in the hardware.
# - **b** False: all GPU programs are reproducible if seeded.
# - **c** Not so: if each operation adds in a fixed order, the same GPU can give the same bits, maybe slower.
# - **d** True, unless one thread is used.

# %%
quiz_4 = "c"  # answer
gpu.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# A simulated order is drawn evenly, a real one is not. Whether a *framework* keeps its promise of determinism
# on your GPU can only be measured there: `fpdrift record-gpu` does, and writes a file that others can read.
# Other GPUs have other trees: the same bits on another model are a different promise.
#
# ## What you have learnt
#
# - Atomic additions make the order of the blocks, and so the last bits, a matter of timing.
# - A second pass in a fixed order gives the same bits each time; it may take more work.
# - Say where a figure comes from: simulated, recorded and live are three different things.
