"""Define the cards: for each picture its claim, its question and its description, by lesson.

A claim is the statement under discussion. The finding, with its numbers, is in the picture's title.
`ARITHMETIC_CARDS` belong to lessons 00 to 06 (floats and the order of sums), `TRAINING_CARDS` to
lessons 07 to 10 (nudges, training, growth and seeds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.arithmetic import Orders
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.experiments import (
    CnnDrift,
    Determinism,
    DistanceCurves,
    FiveRuns,
    HashSeed,
    Long,
    Metric,
    NoSeeds,
    OneGate,
    Question,
    Settings,
    Sources,
    Study,
    ThreadsAndTree,
    Trap,
    TwoLoops,
    UlpSurvival,
    experiment,
    study,
)
from fpdrift.floats import Anatomy
from fpdrift.perturbation import NudgeAccount
from fpdrift.reduction import (
    GpuSums,
    OrderSpread,
    Revealed,
    SameOrder,
    SpreadGrowth,
    SumGrowth,
    SumTable,
)
from fpdrift.reduction.batch import BatchClasses, ConditionMatrix
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One idea, and the type of result that shows it."""

    #: name of the picture's file, and of the recorded result
    name: str
    #: number of its lesson
    lesson: str
    kind: type[Result]
    #: the statement under discussion, in one sentence
    claim: str
    #: question to the audience, before the picture is shown
    question: str
    #: alternative text of the picture; the numbers are in the title
    alt: str
    #: arguments of ``fpdrift`` that produce the result
    command: str
    #: computes a result that has the same bits on every machine, in seconds; None if measured
    live: Callable[[Settings], Result] | None = None


ARITHMETIC_CARDS = (
    Card(
        name="float",
        lesson="00",
        kind=Anatomy,
        claim="A computer cannot store 0.1; it stores the nearest number that fits in 64 bits.",
        question="Is the number in memory slightly larger than 0.1, or slightly smaller?",
        alt="The 64 bits of a float as boxes, labelled as sign, exponent and fraction, and below "
        "them its exact value, its ulp and its two neighbours",
        command="experiment float",
        live=study("float").run,
    ),
    Card(
        name="order",
        lesson="01",
        kind=Orders,
        claim="Evaluating an expression in another, mathematically equal order can change the "
        "last bit.",
        question="Both are right on paper. Which of the two results would you trust, and why?",
        alt="Two orders of one expression, step by step: the last bits that were kept, the bits "
        "that were rounded off, and frames where the two results differ",
        command="experiment order",
        live=study("order").run,
    ),
    Card(
        name="chain",
        lesson="02",
        kind=TwoLoops,
        claim="Of two mathematically equal loops, the one that rounds more often can be more "
        "accurate.",
        question="One loop rounds once per step, the other twice. Which result is more accurate?",
        alt="Three lines that rise from zero over a hundred million steps: the loop that rounds "
        "twice coincides with exact arithmetic, the other one is above both",
        command="experiment chain",
        live=study("chain").run,
    ),
    Card(
        name="sums",
        lesson="03",
        kind=SumTable,
        claim="The error of a sum depends on its condition number and on the summation method.",
        question="In float32, with any method you like: how many digits of the sum are correct?",
        alt="Lines of error against condition number, one for each summation method: the plain "
        "ones "
        "rise at once, the exact ones not at all; dotted lines are the bounds above them",
        command="experiment sums",
    ),
    Card(
        name="sums-growth",
        lesson="03",
        kind=SumGrowth,
        claim="The possible error of a sum grows with the number of terms added in sequence, but "
        "hardly with pairwise or Kahan summation.",
        question="With a hundred times as many numbers, how much does each method's error grow?",
        alt="Lines of error against the number of terms, one for each summation method, with the "
        "plain loop on top; dotted lines are the bounds",
        command="sums --growth",
    ),
    Card(
        name="threads",
        lesson="04",
        kind=ThreadsAndTree,
        claim="Threads that add in order of arrival can give a different sum each time.",
        question="Threads sum the same numbers hundreds of times: how many different results?",
        alt="Rows of bars, one row for each thread count: the distribution of the sums, in ulps "
        "from "
        "the exact sum; a single bar for one thread and for a fixed order",
        command="experiment threads",
    ),
    Card(
        name="orders",
        lesson="04",
        kind=OrderSpread,
        claim="The results of a sum in random orders scatter; those of real programs are among "
        "them.",
        question="Among all orders, where do you expect NumPy's own sum: in the middle, or far "
        "out?",
        alt="A histogram of one sum in thousands of orders, in ulps from the exact sum, and above "
        "it a row of dots for each order of a real program",
        command="threads --orders 3000 --n 10000",
    ),
    Card(
        name="spread-growth",
        lesson="04",
        kind=SpreadGrowth,
        claim="The more chunks are added in sequence, the more the results of different orders "
        "can vary.",
        question="Four times as many chunks: twice the spread, four times, or more?",
        alt="Lines of spread in ulps against the number of chunks, below a dotted line that no "
        "order exceeds and close to another that grows like the square root",
        command="threads --growth",
    ),
    Card(
        name="trees",
        lesson="05",
        kind=Revealed,
        claim="A library can add in a fixed order of its own, which can be revealed by probing.",
        question="In which order would you add if you could add many pairs at once?",
        alt="A tree with numbered inputs at the bottom, joined addition by addition up to the sum",
        command="experiment trees",
    ),
    Card(
        name="two-orders",
        lesson="05",
        kind=SameOrder,
        claim="Two functions of one library can add the same numbers in different orders.",
        question="Two functions add the same numbers. Do you expect the same bits?",
        alt="Two trees side by side over the same inputs; additions that occur in only one of them "
        "are open orange dots",
        command="reveal numpy:sum --against numpy:einsum",
    ),
    Card(
        name="batch",
        lesson="05",
        kind=BatchClasses,
        claim="A row's result can depend on the number of rows computed with it.",
        question="Your model answers one customer alone, or in a batch of 1,000. Same bits?",
        alt="A row of lettered cells for each operation, one cell for each batch size; cells with "
        "the same letter and colour have equal bits",
        command="batch",
    ),
    Card(
        name="conditions",
        lesson="05",
        kind=ConditionMatrix,
        claim="The instruction set, or its kernels, can determine the last bits of a result.",
        question="The same program on another processor: what must be equal for the same bits?",
        alt="A matrix of conditions against conditions: a cell shows equality, or a distance in "
        "ulps; conditions with equal bits share a letter",
        command="batch --conditions --libraries numpy",
    ),
    Card(
        name="gpu",
        lesson="06",
        kind=GpuSums,
        claim="In simulation, blocks that add as they finish can give a different sum each time; "
        "two "
        "passes cannot.",
        question="This is a simulation: what does it say about a GPU, and what can it not say?",
        alt="Dots of many simulated sums against the number of terms, with a line through the "
        "largest deviations of each method; the two-pass sum has none",
        command="experiment gpu",
    ),
)


TRAINING_CARDS = (
    Card(
        name="nudged-weights",
        lesson="07",
        kind=NudgeAccount,
        claim="A nudge smaller than half the distance to the next float changes no bit.",
        question="Half of two million weights are nudged by at most 1e-8. Which of them change?",
        alt="A bar for each magnitude of weights: the share that changed and, hatched, the share "
        "that did not, which grows with the magnitude",
        command="demo --only nudge",
        live=experiment("nudge").run,
    ),
    Card(
        name="nudge",
        lesson="07",
        kind=Study,
        claim="Noise of at most 1e-8 on half of the weights can change the result of training.",
        question="Five draws of noise, two threads, a new seed: how far does each end from the "
        "first run?",
        alt="A row for each run with a mark for its distance from the first, on a logarithmic "
        "axis; "
        "bit-identical runs are at the left edge, and a new seed is an orange diamond",
        command="experiment nudge --quick",
    ),
    Card(
        name="dose",
        lesson="07",
        kind=DistanceCurves,
        claim="The size of a nudge need not determine the final distance between two runs.",
        question="With a nudge a million times smaller, how much closer do the two runs end?",
        alt="A line for each size of nudge over the training steps: they start decades apart and "
        "end closer together",
        command="experiment dose --quick",
    ),
    Card(
        name="cnn",
        lesson="08",
        kind=CnnDrift,
        claim="The same network, data and seed can diverge with a different thread count.",
        question="One last bit differs after the first step. How large is the distance after a "
        "hundred?",
        alt="Curves of the distance between the weights over the steps, on a logarithmic axis, "
        "with "
        "a ring at each pair's first difference",
        command="experiment cnn",
    ),
    Card(
        name="five-runs",
        lesson="08",
        kind=FiveRuns,
        claim="The forum answer: the losses of its five runs of one epoch differ from the first by "
        "at most 0.0144 %.",
        question="Somebody reports five losses that agree to three digits. Is the code wrong?",
        alt="A row of five dots for each gradient: the losses relative to the first run's, above "
        "those of the five runs in the forum answer",
        command="experiment five-runs --full",
    ),
    Card(
        name="threads-in-training",
        lesson="08",
        kind=Study,
        claim="With fixed threads and instructions, reruns were bit-identical here; changing them "
        "changed the bits.",
        question="What would you have to write down so that somebody else gets your bits?",
        alt="A row for each thread count and instruction set: a cross for the rerun and a dot for "
        "its distance from one thread; bit-identical runs are at the left edge",
        command="experiment threads-in-training --quick",
    ),
    Card(
        name="metric",
        lesson="08",
        kind=Metric,
        claim="The forum answer: loss measures such differences better, because accuracy jumps.",
        question="One of ten predictions changes by a millionth. What do loss and accuracy do?",
        alt="A row for each metric with marks for its spread: with planted differences, in these "
        "runs, and in those of the forum answer",
        command="experiment metric --quick",
    ),
    Card(
        name="long",
        lesson="09",
        kind=Long,
        claim="Over thousands of training steps, different rounding can change predictions.",
        question="After the last epoch, how many predictions of the two runs differ in their "
        "class?",
        alt="The distance between the weights over the steps of all epochs, on two logarithmic "
        "axes, with dotted lines at jumps and the share of changed predictions after each epoch",
        command="experiment long --full",
    ),
    Card(
        name="survival",
        lesson="09",
        kind=UlpSurvival,
        claim="A difference of one ulp in one weight can survive the first steps of training.",
        question="Of runs that start with a difference of one ulp, how many re-merge to equal "
        "bits?",
        alt="The share of nudges that survive, over the steps, with a band of uncertainty and a "
        "tick "
        "where the observation of a run ended",
        command="experiment survival --quick",
    ),
    Card(
        name="gate",
        lesson="09",
        kind=OneGate,
        claim="A jump can come almost entirely from one unit whose ReLU is open in only one run.",
        question="The distance jumps in a single step. Where in the network would you look?",
        alt="Left, a ReLU with both runs on it, one on each side of zero; right, bars for the "
        "units "
        "of its layer: the share of the distance in each",
        command="experiment gate --quick",
    ),
    Card(
        name="amplifiers",
        lesson="09",
        kind=DistanceCurves,
        claim="In 20 steps, a nudge can grow by a small factor in one network, and by a factor of "
        "100,000 in another.",
        question="Nine networks, one nudge each: would you trust their final ranking?",
        alt="A line for each network over the training steps, each from one nudge of the same size",
        command="experiment amplifiers --quick",
    ),
    Card(
        name="trap",
        lesson="09",
        kind=Trap,
        claim="Not every difference between two runs is rounding: with labels that do not sum to "
        "one, two paths compute different gradients.",
        question="Two runs differ after one step. How would you distinguish rounding from a "
        "mistake?",
        alt="Two bars on a logarithmic axis: the distance between two paths after one step, for "
        "labels that sum to one and for labels that do not",
        command="experiment trap --quick",
    ),
    Card(
        name="no-seeds",
        lesson="10",
        kind=NoSeeds,
        claim="The forum answer: without seeds, every metric varies wildly within the first ten "
        "iterations. Here two metrics were measured, in five runs each.",
        question="After ten iterations, which vary more: runs without seeds, or runs with "
        "different "
        "thread counts?",
        alt="Thin lines of loss over ten iterations, in two colours: runs with random seeds, and "
        "runs with one seed",
        command="experiment no-seeds --quick",
    ),
    Card(
        name="hash-seed",
        lesson="10",
        kind=HashSeed,
        claim="PYTHONHASHSEED must be set before the interpreter starts.",
        question="Your script sets PYTHONHASHSEED in its first line. What does that change?",
        alt="A bar for each way of setting the variable: the number of different hashes in fresh "
        "processes, and below them the number of different training results",
        command="experiment hash-seed --quick",
    ),
    Card(
        name="determinism",
        lesson="10",
        kind=Determinism,
        claim="Op determinism guarantees the same bits in a rerun; its cost has to be measured.",
        question="What does op determinism guarantee: equal bits here, or equal bits everywhere?",
        alt="A row for each setting: crosses for the rerun, dots for its distance from another "
        "setting; bit-identical runs are at the left edge",
        command="experiment determinism --quick",
    ),
    Card(
        name="sources",
        lesson="10",
        kind=Sources,
        claim="With every seed set, rounding can still change a run; here a new seed changed it "
        "more.",
        question="Threads, kernels, XLA, one ulp, a seed: how much does each change the weights?",
        alt="A row for each source of difference with a dot for the distance between each pair of "
        "runs; seeds are orange diamonds; bit-identical pairs are left of a dotted line",
        command="experiment sources --quick",
    ),
    Card(
        name="question",
        lesson="10",
        kind=Question,
        claim="The forum question: with every seed set, the same code gives a different result in "
        "each run. Here the rerun with 1 thread was bit-identical.",
        question="Is the code in the question wrong, or is such a training not reproducible?",
        alt="Lines of validation accuracy over the epochs, one for each run: the first, its rerun, "
        "two threads, a new seed",
        command="experiment question --epochs 5",
    ),
)


__all__ = ["CARDS", "Card", "chosen"]

CARDS: tuple[Card, ...] = (*ARITHMETIC_CARDS, *TRAINING_CARDS)


def chosen(lessons: Iterable[str] | None = None) -> tuple[Card, ...]:
    """Return the cards of some lessons, or all.

    Raises
    ------
    FpdriftError
        If a lesson has no card.
    """
    if lessons is None:
        return CARDS
    known = tuple(dict.fromkeys(card.lesson for card in CARDS))
    wanted = [lesson.zfill(2) for lesson in lessons]
    for lesson in wanted:
        if lesson not in known:
            message = f"no slide for lesson {short_repr(lesson)}; choose from {', '.join(known)}"
            raise FpdriftError(message)
    return tuple(card for card in CARDS if card.lesson in wanted)
