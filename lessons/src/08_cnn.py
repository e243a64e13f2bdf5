# %% [markdown]
# # CNN: same network, data and seed, but two results
#
# > *"I set every seed. I train the same network on the same data. My colleague's machine has more cores and
# > ends with a different loss. Is my code wrong?"*
#
# **Time:** 35 minutes. **You need:** TensorFlow (in a checkout `pip install ".[cnn]"`). **Prerequisites:**
# lessons 05 and 07.
#
# A training step consists of millions of sums. How a framework splits them depends on the number of threads.

# %% [markdown]
# ## Predict first
#
# A convolutional network is trained twice with the same seed: once with one thread, once with two. Will all
# weights have the same bits at the end? Write `True` or `False`.

# %%
prediction = False  # answer

# %% [markdown]
# ## Look
#
# There are three runs, each in its own process: one thread, *one thread again*, two threads. (The first time,
# this takes a while; the records are then kept in `fpdrift-out/lessons`.)

# %%
import fpdrift
from fpdrift.lessons import cnn

runs = cnn.train_three()
again = fpdrift.compare(runs["1 thread"], runs["1 thread again"])
pair = fpdrift.compare(runs["1 thread"], runs["2 threads"])
print("1 thread again:", again)
print("2 threads:     ", pair)

# %%
cnn.check_prediction(prediction, pair)

# %% [markdown]
# The repeated run is the *control*. Only if it has the same bits can the difference be due to the second
# thread. This is what your two comparisons show together:

# %%
print(cnn.tell(again, pair))

# %% [markdown]
# ## The picture
#
# The picture shows how far apart the weights are, step by step: distance divided by size, on a logarithmic
# axis. Such an axis has no zero, so a run with equal bits has no line.

# %%
from fpdrift.comparison import Comparisons
from fpdrift.plotting import plot

plot(Comparisons(labels=("1 thread again", "2 threads"), comparisons=(again, pair)))

# %% [markdown]
# ## Loss or accuracy?
#
# Long runs were recorded on another machine, under five conditions that are equal on paper. They have different
# thread counts, run without *oneDNN* (a library of fast operations inside TensorFlow), or use *AVX2* (older and
# narrower processor instructions). All use *op determinism*: each operation adds in an order that is fixed for
# its thread count. The data are noise, and each image has several random labels. So there is nothing to learn,
# an accuracy near one in ten is guessing, and only the distance between the runs matters. The output names the
# machine and shows the results:

# %%
five = fpdrift.load_recorded("five-runs")
print(f"Recorded on {five.provenance.cpu}, {five.provenance.cores} cores; {five.steps} steps")
recorded = five.gradients[1].runs
for run in recorded:
    print(f"{run.label:40} loss {run.loss:.5f}  accuracy {run.accuracy:.5f}")

# %% [markdown]
# An accuracy is a count: a prediction that crosses the threshold by a hair changes the count by one. In this
# example there are ten predictions; a probability above `0.5` means yes. One of the ten moves by a millionth,
# from just below `0.5` to just above. Nothing else changes.

# %%
edge = cnn.knife_edge()
print(f"moved by {edge.move:g}: accuracy {edge.accuracy[0]} -> {edge.accuracy[1]}")
print(f"                  loss {edge.loss[0]:.7f} -> {edge.loss[1]:.7f}")

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, read its feedback, and try again.
#
#
# **1.** At which step do your runs with one and two threads first differ? Look at `pair.first_difference`. If
# it is `None`, nothing differed here, and your answer is `None`.

# %%
answer_1 = pair.first_difference and pair.first_difference.step  # answer
cnn.check_1(answer_1, pair)

# %% [markdown]
# **2.** How far apart are the *recorded* losses, relative to the first one? Compute the largest
# $|L_i - L_1| / L_1$.

# %%
losses = [run.loss for run in recorded]
answer_2 = max(abs(loss - losses[0]) for loss in losses) / losses[0]  # answer
cnn.check_2(answer_2)

# %% [markdown]
# **3.** Compute the same for the recorded accuracies.

# %%
accuracies = [run.accuracy for run in recorded]
answer_3 = max(abs(a - accuracies[0]) for a in accuracies) / accuracies[0]  # answer
cnn.check_3(answer_3)

# %% [markdown]
# **4.** In the threshold example: by what *factor* is the relative change of the accuracy larger than that of
# the loss? A relative change is relative to the value before.

# %%
jump = abs(edge.accuracy[1] - edge.accuracy[0]) / edge.accuracy[0]
answer_4 = jump / (abs(edge.loss[1] - edge.loss[0]) / edge.loss[0])  # answer
cnn.check_4(answer_4)

# %% [markdown]
# ## Quiz
#
# Answer each question with a letter in quotes, such as `"a"`.
#
#
# **1.** With one thread, every run has the same bits. With two threads, every run has the same bits too, but
# they differ from those with one thread. The training is...
#
# - **a** order-dependent, not random.
# - **b** nondeterministic.
# - **c** wrong with two threads.
# - **d** badly seeded.

# %%
quiz_1 = "a"  # answer
cnn.check_quiz(1, quiz_1)

# %% [markdown]
# **2.** Why was the run with one thread repeated?
#
# - **a** To warm the machine up.
# - **b** To take the mean.
# - **c** As a control: if it had differed, the difference would not be due to the threads.
# - **d** Because the first run is never right.

# %%
quiz_2 = "c"  # answer
cnn.check_quiz(2, quiz_2)

# %% [markdown]
# **3.** Several tensors differ first, all at the same step. Why?
#
# - **a** The comparison is too coarse.
# - **b** A sum that rounds differently is passed on to other sums before the step ends.
# - **c** They were initialised differently.
# - **d** The optimiser draws random numbers.

# %%
quiz_3 = "b"  # answer
cnn.check_quiz(3, quiz_3)

# %% [markdown]
# **4.** Two runs have accuracies of sixty and seventy per cent on *ten* images. What do you conclude?
#
# - **a** The second is better.
# - **b** The training has diverged.
# - **c** The seed was bad.
# - **d** Little: it is one prediction. Look at the loss, or at more images.

# %%
quiz_4 = "d"  # answer
cnn.check_quiz(4, quiz_4)

# %% [markdown]
# ## What this lesson does not show
#
# The runs here are short, and their data are noise: there is nothing to learn. *Why* the distance grows is the
# subject of the next lesson. `fpdrift compare A B --inside` shows which operation inside the step rounds
# differently; it repeats both runs up to that step.
#
# ## What you have learnt
#
# - With another thread count, a framework can add in another order: same seed, different bits, each repeatable.
# - A control (the repeated run) distinguishes order-dependent from nondeterministic.
# - The loss is the better measure of such differences; an accuracy on few images jumps.
