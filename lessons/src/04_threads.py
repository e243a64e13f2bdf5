# %% [markdown]
# # Threads: whoever comes first is added first
#
# > *"My parallel program adds the same numbers and prints another total each time. No seed is missing, no
# > number changes. Is it a bug?"*
#
# **Time:** 30 minutes. **You need:** nothing but fpdrift; two cores show more than one. **Before it:**
# lessons 01 and 03.
#
# Several threads share a long sum. Each takes a piece (a **chunk**), adds it up, and adds its partial sum to
# the total as soon as it is done. A **lock** lets one thread at a time touch the total, so no addition is
# lost. Which thread is done first is up to the operating system.

# %% [markdown]
# ## Predict first
#
# The same numbers are summed many times with several threads. Will all totals have the same bits? Write
# `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# Real threads, here and now. First one thread, then as many as there are cores (at least two).

# %%
import fpdrift
from fpdrift.lessons import threads

result = threads.measure()
for run in result.runs:
    print(run)

# %%
threads.check_prediction(prediction, result)

# %% [markdown]
# What was seen here depends on this machine and on this minute. This sentence is about *your* run:

# %%
print(threads.tell(result))

# %% [markdown]
# ## The picture
#
# How many sums ended at which distance from the exact sum, counted in ulps. The lowest row: the same partial
# sums, added in a fixed order.

# %%
from fpdrift.plotting import plot

plot(result)

# %% [markdown]
# ## Not random at all
#
# The order of arrival was recorded in each try. Add in that order again, without any threads, and the same
# bits come out. So the *additions* are no lottery, only the *order* was.

# %%
last = result.runs[-1]
again = [fpdrift.replay(result, i) for i in range(result.tries)]
same = sum(a == b for a, b in zip(again, last.values))
print(f"{same} of {result.tries} sums replayed to the same bits")

# %% [markdown]
# Two words that are often mixed up. A program is **order-dependent** if another order gives other bits, but
# each order is repeatable. It is **nondeterministic** if the same program on the same machine with the same
# input gives other bits. If nobody fixes the order, as with adding in order of arrival, an order-dependent sum
# becomes a nondeterministic program.
#
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** Replay try number `3` (counted from 0) of the run with the most threads.

# %%
answer_1 = fpdrift.replay(result, 3)  # answer
threads.check_1(answer_1, result)

# %% [markdown]
# **2.** `last.fixed` holds what the same partial sums give when they are added from the first chunk to the
# last. How many *different* values are in it?

# %%
answer_2 = len(set(last.fixed.tolist()))  # answer
threads.check_2(answer_2, result)

# %% [markdown]
# **3.** Write the remedy. `arrived` is a list of pairs, (number of the chunk, its partial sum), in order of
# arrival. Put them in an order that does not depend on who came first.


# %%
def steady(arrived):
    in_order = sorted(arrived)  # answer
    total = 0.0
    for _, part in in_order:
        total += part
    return total


# %%
threads.check_3(steady)

# %% [markdown]
# **4.** With `k` partial sums, how many orders of arrival are there for `k = 5`?

# %%
answer_4 = 5 * 4 * 3 * 2 * 1  # answer
threads.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
#
# **1.** Totals differ from run to run, though a lock protects the total. What is it?
#
# - **a** A race condition: some additions got lost.
# - **b** Each addition is done, but in another order, and each order rounds otherwise.
# - **c** A faulty processor core.
# - **d** The numbers were changed by another thread.

# %%
quiz_1 = "b"  # answer
threads.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** A program gives the same bits whenever it runs with one thread, and other bits, always the same
# ones, with two. It is...
#
# - **a** nondeterministic.
# - **b** wrong with two threads.
# - **c** neither of the two.
# - **d** order-dependent.

# %%
quiz_2 = "d"  # answer
threads.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** All sums of your test had the same bits. What may you say?
#
# - **a** No difference was seen in so many tries on this machine.
# - **b** The program is deterministic.
# - **c** Threads do not matter.
# - **d** The sum is exact.

# %%
quiz_3 = "a"  # answer
threads.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Which change makes the total the same every time, whatever the threads do?
#
# - **a** A faster lock.
# - **b** Setting the random seed.
# - **c** Keeping the partial sums and adding them in a fixed order.
# - **d** Running it twice and taking the mean.

# %%
quiz_4 = "c"  # answer
threads.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# Libraries for numerical work mostly do *not* add in order of arrival on a CPU: they split the work by a rule,
# so that the same thread count gives the same bits. The next lesson looks at such rules; lesson 06 at GPUs,
# where arrival does decide in some operations.
#
# ## What you have learnt
#
# - Threads that add as they arrive make the order, and so the last bits, a matter of timing.
# - Each order is repeatable: recorded and replayed, it gives the same bits.
# - Order-dependent is not nondeterministic, and a fixed order is a remedy.
