# %% [markdown]
# # Bits: what a float is
#
# > *"I typed `0.1 + 0.2` and got something that is not `0.3`. I only used tenths! What does the computer
# > store in place of my number?"*
#
# **Time:** 25 minutes. **You need:** only fpdrift. With ipywidgets, the bits can be clicked.
#
# A float is a fixed number of bits. So there are only finitely many floats, and most numbers that you type are
# not among them. The computer stores the nearest float instead. Python's floats have sixty-four bits
# (**float64**). Neural networks and graphics cards mostly use **float32**, which has half as many bits and so
# fewer digits.

# %% [markdown]
# ## Predict first
#
# What does Python store when you type `0.1`? Write `"exact"` if it is exactly one tenth, `"less"` if it is a
# little less, or `"more"` if it is a little more.

# %%
prediction = "more"  # answer

# %% [markdown]
# ## Look
#
# Here is the float. Each bit is a button: click it, or move to it with the tab key and press space. Letters
# and colours mark the fields: **s** is the sign, **e** the exponent (how large), **f** the fraction (which
# digits). Without ipywidgets you see the same as text.
#
# How do bits become a number? The exponent selects a power of two. The fraction says how far the number is
# from there to the next power of two: its first bit is worth a half of the way, the second a quarter, and so
# on.

# %%
import fpdrift
from fpdrift.lessons import bits

bits.explore_float("0.1")

# %%
bits.check_prediction(prediction)

# %% [markdown]
# The line *exact* is not an approximation. It shows all the decimal digits of the number that the bits stand
# for. Python prints only the shortest text that leads back to the same bits. And what about the question
# above?

# %%
print(0.1 + 0.2)
print("0.1 + 0.2 is", fpdrift.anatomy(0.1 + 0.2).decimal)
print("0.3 is      ", fpdrift.anatomy(0.3).decimal)

# %% [markdown]
# Neither is three tenths. `0.1` and `0.2` were both rounded up, and so was their sum; `0.3` was rounded down.
# The two results are neighbouring floats.
#
# ## The picture
#
# This is the same number with fewer bits. Look for the pattern in the fraction: one tenth has infinitely many
# binary digits, so it has to be rounded somewhere.

# %%
from fpdrift.plotting import plot

plot(fpdrift.anatomy("0.1", "float32"))

# %% [markdown]
# ## The step to the next float
#
# The step from one float to the next is one **ulp** (*unit in the last place*: the value of the last bit of the
# fraction). It is not the same everywhere: it doubles at each power of two. The steps grow with the numbers;
# *relative* to the number, a step stays within a factor of two.

# %%
for x in (1, 1000, 10**6, 10**9, 10**16):
    ulp = float(fpdrift.anatomy(x).ulp)
    print(f"at {x:.0e} the next float is {ulp:.2g} away, {ulp / x:.1e} of it")

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** Some decimal fractions *are* floats. Write, as text, a number between 0 and 1 that float64 represents
# exactly. Do not use `"0.5"`.

# %%
answer_1 = "0.375"  # answer
bits.check_1(answer_1)

# %% [markdown]
# **2.** How far is the next float above 1.0? Give the number. You can find it in `fpdrift.anatomy(1.0)` or in
# the widget.

# %%
answer_2 = 2.0**-52  # answer
bits.check_2(answer_2)

# %% [markdown]
# **3.** Flip exactly one bit of 1.0 to get `1.5`. Which bit is it? Count from 0, which is the sign; the
# exponent comes next. (`fpdrift.floats.flipped(fpdrift.anatomy(1.0), 5)` flips bit number five.)

# %%
answer_3 = 12  # answer
bits.check_3(answer_3)

# %% [markdown]
# **4.** Integers are exact in float64 only up to a limit. What is the smallest *power of two* `x` with
# `x + 1 == x`? Write it as a float, such as `2.0**10`. (If `x + 1` lies halfway between two floats, a *tie*, it
# is rounded to the *even* one, whose last bit is 0.)

# %%
answer_4 = 2.0**53  # answer
bits.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** Why is no float exactly one tenth?
#
# - **a** Because Python prints too few digits.
# - **b** Because float64 is too small; a larger type could store it.
# - **c** Because one tenth is not a sum of finitely many powers of two.
# - **d** Because the processor makes small mistakes.

# %%
quiz_1 = "c"  # answer
bits.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Python prints `0.1`. What does that show?
#
# - **a** That this is the shortest text that leads to this float.
# - **b** That the float is exactly one tenth.
# - **c** That all further digits are zero.
# - **d** That the float was typed by a person, not computed.

# %%
quiz_2 = "a"  # answer
bits.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** You go from numbers around one to numbers around a million. The steps between floats...
#
# - **a** stay the same.
# - **b** get smaller.
# - **c** disappear: there are no floats between integers there.
# - **d** get larger, about as much as the numbers do.

# %%
quiz_3 = "d"  # answer
bits.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** You add one to a very large float, and nothing changes. What happened?
#
# - **a** An overflow: the number was too large.
# - **b** The sum is closer to the old float than to the next one, and was rounded back.
# - **c** Python decided that the one does not matter.
# - **d** The one was turned into zero before the addition.

# %%
quiz_4 = "b"  # answer
bits.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# A number is rounded once when you type it. The next lessons show what happens when every *operation* rounds
# too, and whether such small errors ever matter.
#
# ## What you have learnt
#
# - A float is a sign, an exponent and a fraction in a fixed number of bits. It stands for one exact number.
# - What you type is rounded to the nearest float. What Python prints is a short name for that float.
# - The step to the next float, the ulp, grows with the number.
