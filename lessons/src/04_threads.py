# %% [markdown]
# # Threads: sums in order of arrival
#
# > *"My parallel program adds the same numbers and prints a different total each time. No seed is missing, and
# > no number changes. Is it a bug?"*
#
# **Time:** 30 minutes. **You need:** only fpdrift; with two or more cores you see more. **Prerequisites:**
# lessons 01 and 03.
#
# Several threads share a long sum. Each thread takes a piece (a **chunk**), adds it up, and adds its partial
# sum to the total as soon as it is done. A **lock** lets only one thread at a time change the total, so no
# addition is lost. Which thread finishes first is up to the operating system.

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
# These are real threads on your machine: first one thread, then as many as there are cores (at least two).

# %%
import fpdrift
from fpdrift.lessons import threads

result = threads.measure()
for run in result.runs:
    print(run)

# %%
threads.check_prediction(prediction, result)

# %% [markdown]
# The result depends on this machine and on its load right now. This sentence describes *your* run:

# %%
print(threads.tell(result))

# %% [markdown]
# ## The picture
#
# The picture shows how many sums ended at which distance from the exact sum, counted in ulps. In the lowest
# row the same partial sums are added in a fixed order.

# %%
from fpdrift.plotting import plot

plot(result)

# %% [markdown]
# ## Not random
#
# The order of arrival was recorded in each try. If you add in that order again, without any threads, you get
# the same bits. So the *additions* are not random; only the *order* was.

# %%
last = result.runs[-1]
again = [fpdrift.replay(result, i) for i in range(result.tries)]
same = sum(a == b for a, b in zip(again, last.values))
print(f"{same} of {result.tries} sums replayed to the same bits")

# %% [markdown]
# Two terms are often confused. A program is **order-dependent** if a different order gives different bits but
# each order is repeatable. It is **nondeterministic** if the same program on the same machine with the same
# input gives different bits. If nothing fixes the order, as when adding in order of arrival, an order-dependent
# sum makes the program nondeterministic.
#
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** Replay try number `3` (counted from 0) of the run with the most threads.

# %%
answer_1 = fpdrift.replay(result, 3)  # answer
threads.check_1(answer_1, result)

# %% [markdown]
# **2.** `last.fixed` contains the results of adding the same partial sums from the first chunk to the last. How
# many *different* values does it contain?

# %%
answer_2 = len(set(last.fixed.tolist()))  # answer
threads.check_2(answer_2, result)

# %% [markdown]
# **3.** Write the remedy. `arrived` is a list of pairs, (number of the chunk, its partial sum), in order of
# arrival. Put them in an order that does not depend on which came first.


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
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Totals differ from run to run, although a lock protects the total. What is the cause?
#
# - **a** A race condition: some additions got lost.
# - **b** Every addition is done, but in a different order, and each order rounds differently.
# - **c** A faulty processor core.
# - **d** Another thread changed the numbers.

# %%
quiz_1 = "b"  # answer
threads.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** A program always gives the same bits with one thread. With two threads it gives different bits, but
# also the same ones every time. It is...
#
# - **a** nondeterministic.
# - **b** wrong with two threads.
# - **c** neither order-dependent nor nondeterministic.
# - **d** order-dependent.

# %%
quiz_2 = "d"  # answer
threads.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** All sums in your test had the same bits. What may you conclude?
#
# - **a** No difference was seen in that many tries on this machine.
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
# - **c** Storing the partial sums and adding them in a fixed order.
# - **d** Running it twice and taking the mean.

# %%
quiz_4 = "c"  # answer
threads.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# On a CPU, most numerical libraries do *not* add in order of arrival. They split the work by a rule, so the
# same thread count gives the same bits. The next lesson looks at such rules. Lesson 06 is about GPUs, where
# some operations do depend on the order of arrival.
#
# ## What you have learnt
#
# - If threads add as they arrive, timing determines the order, and so the last bits.
# - Each order is repeatable: recorded and replayed, it gives the same bits.
# - Order-dependent is not nondeterministic, and a fixed order is a remedy.
