# %% [markdown]
# # Order: one formula, two results
#
# > *"On paper it is the same formula. I typed it in two ways and Python gave me two numbers.
# > Which one is wrong?"*
#
# **Time:** 20 minutes. **You need:** only fpdrift. **Prerequisites:** lesson 00, if bits are new to you.
#
# A computer stores a number in a fixed number of bits. After *every* operation it rounds the result to the
# nearest number that fits. If you change the order of the operations, different intermediate results are
# rounded.

# %% [markdown]
# ## Predict first
#
# On paper, $2 \cdot 11 / 9$ and $2 / 9 \cdot 11$ are equal. Will Python say that they are?
# Write `True` or `False` in place of `...` *before* you run anything else.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# `orders` evaluates an expression in every order that is equal on paper. It groups the orders that give the
# same bits.

# %%
import fpdrift
from fpdrift.lessons import order

result = fpdrift.orders("2*11/9")
for group in result.groups:
    print(repr(float(group[0].value)), "from", ", ".join(one.text for one in group))

# %%
order.check_prediction(prediction)

# %% [markdown]
# How far apart are the results? You can *count* the distance: from one float to another there is a whole number
# of steps, each to the next float. One step is one **ulp** (unit in the last place).

# %%
print(order.tell(result))

# %% [markdown]
# ## Where did the last bit go?
#
# The picture is a *ledger*. It shows each step, the bits that were kept, and what the rounding lost.

# %%
from fpdrift.plotting import plot

plot(result)

# %% [markdown]
# Try an expression of your own. You will see all its orders, and what each step lost.

# %%
order.explore_orders("0.7*3/7")

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** How many ulps apart are `2*11/9` and `2/9*11`? Use `fpdrift.ulp_distance`.

# %%
answer_1 = fpdrift.ulp_distance(2 * 11 / 9, 2 / 9 * 11)  # answer
order.check_1(answer_1)

# %% [markdown]
# **2.** None of the floats is exactly $22/9$, but one of the results is the float *nearest* to it. Which order
# gives it? Answer with the text of the order, as in the list above.

# %%
answer_2 = "2*11/9"  # answer
order.check_2(answer_2)

# %% [markdown]
# **3.** Find three integers `(a, b, c)` from 1 to `20` for which `a*b/c` and `a/c*b` differ. Do not use `2`,
# `11` and `9`. You can use a loop, or guess.

# %%
answer_3 = (1, 3, 10)  # answer
order.check_3(answer_3)

# %% [markdown]
# **4.** Is *division* the cause? Write, as text, a sum of three decimal numbers whose orders do not all agree.
# As a counterexample, `fpdrift.orders("0.5+0.25+0.125")` shows three that do.

# %%
answer_4 = "0.1+0.2+0.3"  # answer
order.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why do `2*11/9` and `2/9*11` differ?
#
# - **a** Python reorders one of them to be faster.
# - **b** Each operation rounds its result, and the two have different intermediate results.
# - **c** Floating-point operations are slightly random.
# - **d** A float cannot store integers and fractions at once.

# %%
quiz_1 = "b"  # answer
order.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** A friend says, "One of the two numbers is wrong." What do you answer?
#
# - **a** Yes: the one with fewer digits.
# - **b** Yes: the one whose factors were swapped.
# - **c** No: each is the result of its own order, rounded after each step.
# - **d** Yes: the one without parentheses.

# %%
quiz_2 = "c"  # answer
order.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** You want to say how far apart two floats are, for numbers of any size. Which measure works best?
#
# - **a** The number of steps from float to float between them (ulps).
# - **b** The number of printed digits that differ.
# - **c** The difference, divided by one of them.
# - **d** Whether `==` gives `False`.

# %%
quiz_3 = "a"  # answer
order.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** For which of these can the order change the result?
#
# - **a** `0.5+0.25+0.125`
# - **b** `1+2+3`
# - **c** `0.1*2*4`
# - **d** `0.1+0.2+0.3`

# %%
quiz_4 = "d"  # answer
order.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# Here *you* chose the order. A program that uses several threads, or a GPU, may use another order each time.
# And one ulp is a small difference; later lessons ask whether it stays small.
#
# ## What you have learnt
#
# - Every operation rounds, so equal on paper does not mean equal in bits.
# - Neither result is "wrong": each order is exactly repeatable and has its own rounding errors.
# - Distances between floats are counted in ulps, and a ledger shows what each step lost.
