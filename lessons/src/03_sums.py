# %% [markdown]
# # Sums: a better way of adding, or better numbers?
#
# > *"I add a million tickets of `0.1` each in float32, and the total is clearly wrong. Do I need a bigger
# > type, or another way of adding? And how do I know how wrong it can be?"*
#
# **Time:** 35 minutes. **You need:** nothing but fpdrift. **Before it:** lessons 00 and 01.
#
# A sum of many numbers is many additions, and each rounds. How much is lost depends on three things: how
# many additions a number goes through, how large the partial sums are, and whether the numbers cancel.

# %% [markdown]
# ## Predict first
#
# A million tickets of `0.1` are added one after the other in float32, which holds about seven decimal
# digits. How many *leading digits* of the total will be right? Give a whole number.

# %%
prediction = 3  # answer

# %% [markdown]
# ## Look
#
# Four ways of adding the same numbers: a plain loop; pairwise (neighbours, then sums of neighbours); Kahan's
# loop, which carries each rounding error into the next addition; and exactly, rounded once at the end.

# %%
from fpdrift.lessons import sums

tickets = sums.tickets()
for name, add in sums.WAYS.items():
    total = add(tickets)
    print(f"{name:9} {float(total):>12.3f}   off by {sums.error(total):.3f}")

# %%
sums.check_prediction(prediction)

# %% [markdown]
# Why is even the *exact* sum off? The float32 nearest to a tenth is a little more than a tenth, so that the
# million of them sum to a little more than a hundred thousand. *Exact* means rounded once, at the end: this sum
# lies between two float32 and goes to the nearer one.
#
# ## How wrong can it be?
#
# Numerical analysts have *bounds*: on these numbers, this way of adding cannot be further off than this. A
# bound is no forecast; most sums are far better. But it tells what the error depends on: the count of
# additions on the longest way and the sum of the *sizes*.
#
# The **condition number** of a sum is the sum of the sizes (the numbers without their signs) over the size of
# the sum. It is 1 where all numbers have one sign, and huge where they cancel. It belongs to the *numbers*,
# not to the way of adding.

# %%
from fpdrift.reduction import error_bounds

problem = sums.problem()
print(f"condition number {float(problem.condition):.1f}")
print(f"plain loop: at most {float(error_bounds.recursive_bound(problem)):.3f} off")
print(f"pairwise:   at most {float(error_bounds.pairwise_bound(problem)):.3f} off")
print(f"Kahan:      at most {float(error_bounds.kahan_bound(problem)):.3f} off")

# %% [markdown]
# ## The picture
#
# Other numbers, with ever larger condition numbers. Each mark is a way of adding; the error is in units of one
# rounding.

# %%
from fpdrift.plotting import plot
from fpdrift.reduction import sum_table

plot(sum_table(sums.FEW, orders=5))

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** Write Kahan's loop. What is missing is the part of `corrected` that did *not* arrive in `new`, with
# a minus sign, as the next round subtracts it. How much did arrive? Mind the parentheses.


# %%
def kahan(values):
    total = correction = values.dtype.type(0)
    for value in values:
        corrected = value - correction
        new = total + corrected
        correction = (new - total) - corrected  # answer
        total = new
    return total


# %%
sums.check_1(kahan)

# %% [markdown]
# **2.** What is the condition number of the sum of `10000.0`, `1.0` and `-10000.0`?

# %%
answer_2 = (10000 + 1 + 10000) / 1  # answer
sums.check_2(answer_2)

# %% [markdown]
# **3.** Divide each bound by the sum of the numbers. For numbers of one sign, which of the three then does
# *not* grow with their count? Answer `"plain loop"`, `"pairwise"` or `"kahan"`.

# %%
answer_3 = "kahan"  # answer
sums.check_3(answer_3)

# %% [markdown]
# **4.** Find three numbers for which a plain loop in float32 gives exactly zero, though their exact sum is
# not zero. Give a list.

# %%
answer_4 = [1e8, 1.0, -1e8]  # answer
sums.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
#
# **1.** Why is pairwise adding better than a plain loop, though it does as many additions?
#
# - **a** It uses more memory for the partial sums.
# - **b** Each number goes through far fewer additions on its way to the total.
# - **c** It adds the small numbers first.
# - **d** It rounds only once, at the end.

# %%
quiz_1 = "b"  # answer
sums.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** What does a condition number of a million say?
#
# - **a** The numbers cancel: relative errors may be a million times those of one rounding.
# - **b** A million numbers are added.
# - **c** The plain loop is the wrong program.
# - **d** The error is a million.

# %%
quiz_2 = "a"  # answer
sums.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** A bound says "at most this far off". The real error is a hundred times smaller. Is the bound wrong?
#
# - **a** Yes, a bound has to be close.
# - **b** Yes, or the error was computed wrongly.
# - **c** It was right by chance.
# - **d** No: it holds for the worst data and the worst order, and errors mostly cancel in part.

# %%
quiz_3 = "d"  # answer
sums.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Two orders of the same numbers give other bits with Kahan's loop. Why?
#
# - **a** Then Kahan's loop was programmed wrongly.
# - **b** Because its error does not depend on the numbers.
# - **c** It makes errors small, not zero; what is left still depends on the order.
# - **d** Because it is slower.

# %%
quiz_4 = "c"  # answer
sums.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# All sums here were done in an order that the program chose. And accuracy is not reproducibility: a sum may
# be accurate and still give other bits each time, or be the same each time and wrong. Whether the order stays
# the same from run to run is the next lesson.
#
# ## What you have learnt
#
# - The error of a sum grows with the additions that a number goes through: pairwise beats the plain loop.
# - The condition number belongs to the data: where numbers cancel, no digit may be right.
# - Compensated loops such as Kahan's buy accuracy for a few more operations; a bound says how much.
