# %% [markdown]
# # Bits: what a float is
#
# > *"I typed `0.1 + 0.2` and got something that is not `0.3`. I only used tenths! What does the computer
# > have in place of my number?"*
#
# **Time:** 25 minutes. **You need:** nothing but fpdrift; with ipywidgets the bits can be clicked.
#
# A float is a row of bits of a fixed length. So there are only so many floats, and most numbers that you type
# are not among them. You get the nearest one that is. Python's own floats have sixty-four bits (**float64**);
# neural networks and graphics cards mostly use **float32**, half the bits, so fewer digits.

# %% [markdown]
# ## Predict first
#
# What does Python hold when you type `0.1`? Write `"exact"` if it is one tenth, `"less"` if it is a little
# less, `"more"` if it is a little more.

# %%
prediction = "more"  # answer

# %% [markdown]
# ## Look
#
# Here is the float. Each bit is a button: click one, or go there with the tab key and press space. The
# letters and the colours tell the fields: **s** the sign, **e** the exponent (how large), **f** the
# fraction (which digits). Without ipywidgets you see the same as text.
#
# How bits become a number: the exponent picks a power of two. The fraction says how far to go from it to the
# next one: its first bit is worth a half of the way, the second a quarter, and so on.

# %%
import fpdrift
from fpdrift.lessons import bits

bits.explore_float("0.1")

# %%
bits.check_prediction(prediction)

# %% [markdown]
# The line *exact* is no approximation: these are all the decimal digits that the bits stand for. What
# Python prints for it is only the shortest text that leads back to the same bits. And the question above?

# %%
print(0.1 + 0.2)
print("0.1 + 0.2 is", fpdrift.anatomy(0.1 + 0.2).decimal)
print("0.3 is      ", fpdrift.anatomy(0.3).decimal)

# %% [markdown]
# Neither is three tenths. `0.1` and `0.2` were both rounded up, and so was their sum; `0.3` was rounded down.
# The two end on neighbours.
#
# ## The picture
#
# The same number with fewer bits. Look for the pattern in the fraction: a tenth never ends in binary, so
# it has to be cut off and rounded somewhere.

# %%
from fpdrift.plotting import plot

plot(fpdrift.anatomy("0.1", "float32"))

# %% [markdown]
# ## The step to the next float
#
# One step from float to float is one **ulp** (*unit in the last place*: what the last bit of the fraction is
# worth). It is not the same everywhere: it doubles at each power of two. The steps grow with the numbers; a
# step *relative* to its number stays within a factor of two.

# %%
for x in (1, 1000, 10**6, 10**9, 10**16):
    ulp = float(fpdrift.anatomy(x).ulp)
    print(f"at {x:.0e} the next float is {ulp:.2g} away, {ulp / x:.1e} of it")

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read what it says, try again.
#
# **1.** Some decimal fractions *are* floats. Give one between 0 and 1 as text, other than `"0.5"`, that
# float64 holds exactly.

# %%
answer_1 = "0.375"  # answer
bits.check_1(answer_1)

# %% [markdown]
# **2.** How far is the next float above 1.0? Give the number; `fpdrift.anatomy(1.0)` knows it, and so does
# the widget.

# %%
answer_2 = 2.0**-52  # answer
bits.check_2(answer_2)

# %% [markdown]
# **3.** Flip exactly one bit of 1.0 and get `1.5`. Which one? Count from 0, which is the sign; the exponent
# comes next. (`fpdrift.floats.flipped(fpdrift.anatomy(1.0), 5)` flips number five.)

# %%
answer_3 = 12  # answer
bits.check_3(answer_3)

# %% [markdown]
# **4.** Whole numbers are exact in float64 only up to a point. What is the smallest *power of two* `x` with
# `x + 1 == x`? Write it as a float, such as `2.0**10`. (Where `x + 1` lies half way between two floats, a
# *tie*, it is rounded to the one whose last bit is 0, the *even* one.)

# %%
answer_4 = 2.0**53  # answer
bits.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each with a letter in quotes, such as `"a"`.
#
# **1.** Why is no float one tenth?
#
# - **a** Because Python prints too few digits.
# - **b** Because float64 is too small; a larger type would hold it.
# - **c** Because a tenth is no sum of finitely many powers of two.
# - **d** Because the processor makes small mistakes.

# %%
quiz_1 = "c"  # answer
bits.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Python prints `0.1`. What does that tell you?
#
# - **a** That this is the shortest text that leads to this float.
# - **b** That the float is one tenth.
# - **c** That all further digits are zero.
# - **d** That the float was typed by a person, and not computed.

# %%
quiz_2 = "a"  # answer
bits.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** You go from numbers around one to numbers around a million. The steps between floats...
#
# - **a** stay the same.
# - **b** get smaller.
# - **c** end: there are no floats between whole numbers there.
# - **d** get larger, about as much as the numbers do.

# %%
quiz_3 = "d"  # answer
bits.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Somebody adds one to a very large float, and nothing changes. What happened?
#
# - **a** An overflow: the number was too large.
# - **b** The sum lies closer to the old float than to the next one, and was rounded back.
# - **c** Python decided that the one does not matter.
# - **d** The one was turned into zero before the addition.

# %%
quiz_4 = "b"  # answer
bits.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# One float is rounded once, when you type it. The next lessons are about what happens when every
# *operation* rounds too, and about whether such small steps ever matter.
#
# ## What you have learnt
#
# - A float is a sign, an exponent and a fraction in a fixed number of bits, and stands for one exact number.
# - What you type is rounded to the nearest float; what you see printed is a short name of it.
# - The step to the next float, the ulp, grows with the number.
