# %% [markdown]
# # Sums: better algorithm or wider type?
#
# > *"I add a million tickets of `0.1` each in float32, and the total is clearly wrong. Do I need a wider type,
# > or another way to add? And how do I know how wrong it can be?"*
#
# **Time:** 35 minutes. **You need:** only fpdrift. **Prerequisites:** lessons 00 and 01.
#
# A sum of many numbers consists of many additions, and each of them rounds. The error depends on three things:
# how many additions a number goes through, how large the partial sums are, and whether the numbers cancel.

# %% [markdown]
# ## Predict first
#
# A million tickets of `0.1` are added one after the other in float32, which stores about seven decimal digits.
# How many *leading digits* of the total will be right? Give a whole number.

# %%
prediction = 3  # answer

# %% [markdown]
# ## Look
#
# Here are four ways to add the same numbers: a plain loop; pairwise (neighbours, then sums of neighbours);
# Kahan's loop, which carries each rounding error into the next addition; and exact summation, rounded once at
# the end.

# %%
from fpdrift.lessons import sums

tickets = sums.tickets()
for name, add in sums.WAYS.items():
    total = add(tickets)
    print(f"{name:9} {float(total):>12.3f}   off by {sums.error(total):.3f}")

# %%
sums.check_prediction(prediction)

# %% [markdown]
# Why is even the *exact* sum off? The float32 nearest to one tenth is slightly more than one tenth, so a
# million of them sum to slightly more than a hundred thousand. *Exact* means rounded once, at the end: the true
# sum lies between two float32 numbers and is rounded to the nearer one.
#
# ## How wrong can it be?
#
# Numerical analysts prove *bounds*: for these numbers, this way of adding cannot be further off than this. A
# bound is not a forecast; most sums are far better. But it shows what the error depends on: the largest number
# of additions that any term goes through, and the sum of the *sizes*.
#
# The **condition number** of a sum is the sum of the sizes (the numbers without their signs) divided by the
# size of the sum. It is 1 if all numbers have the same sign, and huge if they cancel. It is a property of the
# *numbers*, not of the way of adding.

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
# The picture uses other numbers, with increasing condition numbers. Each marker is a way of adding. The unit
# of the error is one rounding.

# %%
from fpdrift.plotting import plot
from fpdrift.reduction import sum_table

plot(sum_table(sums.FEW, orders=5))

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** Complete Kahan's loop. The missing value is the part of `corrected` that did *not* arrive in `new`,
# with a minus sign, because the next iteration subtracts it. How much did arrive? Mind the parentheses.


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
# **3.** Divide each bound by the sum of the numbers. For numbers of the same sign, which of the three quotients
# does *not* grow with the count of numbers? Answer `"plain loop"`, `"pairwise"` or `"kahan"`.

# %%
answer_3 = "kahan"  # answer
sums.check_3(answer_3)

# %% [markdown]
# **4.** Find three numbers for which a plain loop in float32 gives exactly zero although their exact sum is not
# zero. Give a list.

# %%
answer_4 = [1e8, 1.0, -1e8]  # answer
sums.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why is pairwise summation more accurate than a plain loop, although it does as many additions?
#
# - **a** It uses more memory for the partial sums.
# - **b** Each number goes through far fewer additions on its way to the total.
# - **c** It adds the small numbers first.
# - **d** It rounds only once, at the end.

# %%
quiz_1 = "b"  # answer
sums.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** What does a condition number of a million mean?
#
# - **a** The numbers cancel: relative errors may be a million times those of one rounding.
# - **b** A million numbers are added.
# - **c** The plain loop is the wrong program.
# - **d** The error is a million.

# %%
quiz_2 = "a"  # answer
sums.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** A bound says "at most this far off". The actual error is a hundred times smaller. Is the bound wrong?
#
# - **a** Yes, a bound has to be close.
# - **b** Yes, or the error was computed incorrectly.
# - **c** It was right by chance.
# - **d** No: it holds for the worst data and the worst order, and errors usually cancel in part.

# %%
quiz_3 = "d"  # answer
sums.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Two orders of the same numbers give different bits with Kahan's loop. Why?
#
# - **a** Kahan's loop was programmed incorrectly.
# - **b** Because its error does not depend on the numbers.
# - **c** It makes errors small, not zero; the remaining error still depends on the order.
# - **d** Because it is slower.

# %%
quiz_4 = "c"  # answer
sums.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# All sums here were added in an order that the program chose. And accuracy is not reproducibility: a sum may be
# accurate and still give different bits each time, or be the same each time and wrong. The next lesson asks
# whether the order stays the same from run to run.
#
# ## What you have learnt
#
# - The error of a sum grows with the number of additions that a number goes through: pairwise beats a plain loop.
# - The condition number is a property of the data: if the numbers cancel, possibly no digit is right.
# - Compensated loops such as Kahan's buy accuracy with a few more operations; a bound says how much.
