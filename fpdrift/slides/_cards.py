"""The cards of the slides: claim, question and alternative text, independent of the result.

There is one card for each picture, in the order of the lessons. A claim is a general statement; the
finding, with its numbers, is the title of the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.experiments import Settings, experiment, study

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fpdrift.serialization import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One idea, and the type of result that shows it."""

    #: name of the picture's file and of the recording
    name: str
    #: number of the lesson it belongs to
    lesson: str
    #: name of the kind of result that shows it
    kind: str
    #: general statement, in one sentence
    claim: str
    #: question for the audience, before the picture is shown
    question: str
    #: alternative text of the picture; the numbers are in the title
    alt: str
    #: command that makes the result, without ``fpdrift``
    command: str
    #: computes the result in seconds, with the same bits on every machine; None if it is measured
    live: Callable[[Settings], Result] | None = None


ARITHMETIC_CARDS = (
    Card(
        name="float",
        lesson="00",
        kind="Anatomy",
        claim="A computer cannot store 0.1; it stores the nearest number that 64 bits can "
        "represent.",
        question="Is the number in the computer's memory slightly more than 0.1, or slightly less?",
        alt="The 64 bits of a float as boxes labelled sign, exponent and fraction; below them its "
        "exact value, its ulp and its two neighbours",
        command="experiment float",
        live=study("float").run,
    ),
    Card(
        name="order",
        lesson="01",
        kind="Orders",
        claim="Evaluating an expression in an order that is equal on paper can change the last "
        "bit.",
        question="Both are right on paper. Which of the two results would you trust, and why?",
        alt="Two orders of one expression, step by step: the last bits that were kept, the bits "
        "that were lost, and frames where the two results differ",
        command="experiment order",
        live=study("order").run,
    ),
    Card(
        name="chain",
        lesson="02",
        kind="TwoLoops",
        claim="Of two loops that are equal on paper, the one that rounds more often can be more "
        "accurate.",
        question="One loop rounds once per step, the other twice. Which is closer to the exact "
        "result?",
        alt="Three lines that rise from zero over a hundred million steps: the loop that rounds "
        "twice coincides with exact arithmetic, the other loop is above both",
        command="experiment chain",
        live=study("chain").run,
    ),
    Card(
        name="sums",
        lesson="03",
        kind="SumTable",
        claim="The possible error of a sum depends on its condition number and on the algorithm.",
        question="You may use any algorithm, in float32. How many correct digits can you get?",
        alt="Error against condition number, one line for each algorithm: the plain ones rise at "
        "once, the exact ones not at all; dotted lines above them are the bounds",
        command="experiment sums",
    ),
    Card(
        name="sums-growth",
        lesson="03",
        kind="SumGrowth",
        claim="The possible error of a sum grows with the count of numbers added in sequence, but "
        "hardly with pairwise or Kahan summation.",
        question="With a hundred times as many numbers, how much larger is the error of each "
        "algorithm?",
        alt="Error against the count of numbers, one line for each algorithm, with the plain loop "
        "on top; dotted lines are the bounds",
        command="sums --growth",
    ),
    Card(
        name="threads",
        lesson="04",
        kind="ThreadsAndTree",
        claim="Threads that add in order of arrival can give a different sum each time.",
        question="Threads sum the same numbers hundreds of times. How many different results are "
        "there?",
        alt="A row of bars for each number of threads: the distance of the sums from the exact "
        "sum, in ulps; one thread and a fixed order have a single bar each",
        command="experiment threads",
    ),
    Card(
        name="orders",
        lesson="04",
        kind="OrderSpread",
        claim="The results of a sum in random orders scatter; those of real programs are among "
        "them.",
        question="Where among all orders do you expect NumPy's own sum: in the middle, or far out?",
        alt="A histogram of one sum in thousands of orders, in ulps from the exact sum; above it "
        "a row of dots for each real algorithm",
        command="threads --orders 3000 --n 10000",
    ),
    Card(
        name="spread-growth",
        lesson="04",
        kind="SpreadGrowth",
        claim="The more chunks are added in sequence, the more the results of different orders "
        "can spread.",
        question="With four times as many chunks, is the spread twice as large, four times, or "
        "more?",
        alt="Spread in ulps against the number of chunks: lines below a dotted line that no order "
        "exceeds, and close to another that grows as the square root",
        command="threads --growth",
    ),
    Card(
        name="trees",
        lesson="05",
        kind="Revealed",
        claim="A library can add in a fixed order of its own, and that order can be revealed.",
        question="In which order would you add if you could add many pairs at once?",
        alt="A tree with numbered inputs at the bottom, joined addition by addition up to the sum",
        command="experiment trees",
    ),
    Card(
        name="two-orders",
        lesson="05",
        kind="SameOrder",
        claim="Two functions of one library can add the same numbers in different orders.",
        question="Two functions add the same numbers. Do you expect the same bits?",
        alt="Two trees side by side over the same inputs; additions that occur in only one of "
        "them are open orange dots",
        command="reveal numpy:sum --against numpy:einsum",
    ),
    Card(
        name="batch",
        lesson="05",
        kind="BatchClasses",
        claim="A row's result can depend on how many other rows are computed with it.",
        question="Your model answers one customer alone, or in a batch of 1,000. Are the bits the "
        "same?",
        alt="A row of cells for each operation, with one cell for each batch; cells with the same "
        "letter and colour have equal bits",
        command="batch",
    ),
    Card(
        name="conditions",
        lesson="05",
        kind="ConditionMatrix",
        claim="The instruction set, or its kernels, can determine the last bits of a result.",
        question="You run the same program on another processor. What must match to get equal "
        "bits?",
        alt="A matrix of conditions: a cell says equal, or how many ulps apart; conditions with "
        "equal bits share a letter",
        command="batch --conditions --libraries numpy",
    ),
    Card(
        name="gpu",
        lesson="06",
        kind="GpuSums",
        claim="In a simulation, blocks that add as they finish can give a different sum each "
        "time; two passes cannot.",
        question="This is a simulation. What does it show about a GPU, and what can it not show?",
        alt="Dots of many simulated sums against the count of numbers, with a line through the "
        "largest deviations of each algorithm; the two-pass sum has none",
        command="experiment gpu",
    ),
)


TRAINING_CARDS = (
    Card(
        name="nudged-weights",
        lesson="07",
        kind="NudgeAccount",
        claim="A nudge of less than half the step to the next float does not change any bit.",
        question="Half of two million weights are moved by at most 1e-8. Which of them change?",
        alt="A bar for each size of weights: the share that changed, and, hatched, the share that "
        "did not, which grows with the size of the weight",
        command="demo --only nudge",
        live=experiment("nudge").run,
    ),
    Card(
        name="nudge",
        lesson="07",
        kind="Study",
        claim="Noise of at most 1e-8 on half of the weights can change where a training run ends.",
        question="Five draws of noise, two threads, another seed: how far away does each end?",
        alt="A row for each run with a mark for its distance from the first, on a logarithmic "
        "axis; runs with the same bits are at the left edge, another seed is an orange diamond",
        command="experiment nudge --quick",
    ),
    Card(
        name="dose",
        lesson="07",
        kind="DistanceCurves",
        claim="The size of a nudge need not determine how far apart two runs end.",
        question="A nudge is a million times smaller. How much closer do the two runs end?",
        alt="A line for each size of nudge over the training steps: they start decades apart and "
        "end closer to each other",
        command="experiment dose --quick",
    ),
    Card(
        name="cnn",
        lesson="08",
        kind="CnnDrift",
        claim="The same network, data and seed can give a different result with another thread "
        "count.",
        question="One last bit differs after the first step. How far apart are the runs after a "
        "hundred?",
        alt="Curves of the distance of the weights over the steps, on a logarithmic axis, with a "
        "ring where each pair first differs",
        command="experiment cnn",
    ),
    Card(
        name="five-runs",
        lesson="08",
        kind="FiveRuns",
        claim="The forum answer: in five runs of one epoch, the losses differ from the first by "
        "at most 0.0144 %.",
        question="Somebody reports five losses that agree to three digits. Is the code wrong?",
        alt="A row of five dots for each gradient: the losses relative to the first run; below "
        "them those of the five runs in the forum answer",
        command="experiment five-runs --full",
    ),
    Card(
        name="threads-in-training",
        lesson="08",
        kind="Study",
        claim="With fixed threads and instructions, training was repeatable to the bit here; "
        "other settings changed the bits.",
        question="What would you have to write down so that somebody else gets your bits?",
        alt="A row for each thread count and instruction set: a cross for the repeated run and a "
        "dot for its distance from one thread; runs with the same bits are at the left edge",
        command="experiment threads-in-training --quick",
    ),
    Card(
        name="metric",
        lesson="08",
        kind="Metric",
        claim="The forum answer: loss measures such differences better, because accuracy jumps.",
        question="One of ten predictions moves by a millionth. What do loss and accuracy do?",
        alt="A row for each metric with marks for its spread: planted, in these runs, and in "
        "those of the forum answer",
        command="experiment metric --quick",
    ),
    Card(
        name="long",
        lesson="09",
        kind="Long",
        claim="Over thousands of training steps, different rounding can lead to different "
        "predictions.",
        question="After the last epoch, how many predictions of the two runs differ?",
        alt="The distance of the weights over the steps of all epochs, both axes logarithmic, "
        "with dotted lines at jumps and the share of different predictions at the end of epochs",
        command="experiment long --full",
    ),
    Card(
        name="survival",
        lesson="09",
        kind="UlpSurvival",
        claim="One ulp in one weight can outlast the first steps of training.",
        question="Of several runs that start one ulp apart, how many return to equal bits?",
        alt="The share of nudges that survive, over the steps, with a band of uncertainty and a "
        "tick where the observation of the runs ended",
        command="experiment survival --quick",
    ),
    Card(
        name="gate",
        lesson="09",
        kind="OneGate",
        claim="Nearly all of a jump can be in one unit, whose ReLU is open in one run only.",
        question="The distance jumps in a single step. Where in the network would you look?",
        alt="Left: the kink of a ReLU with one run on each side of zero; right: bars for the "
        "units of its layer, showing the share of the distance in each",
        command="experiment gate --quick",
    ),
    Card(
        name="amplifiers",
        lesson="09",
        kind="DistanceCurves",
        claim="In 20 steps, a nudge can grow by a small factor in one network and by 100,000 in "
        "another.",
        question="Nine networks, one nudge each: do you trust the order in which they end?",
        alt="A line for each network over the training steps, each from one nudge of the same size",
        command="experiment amplifiers --quick",
    ),
    Card(
        name="trap",
        lesson="09",
        kind="Trap",
        claim="Not every difference between two runs is rounding: with labels that do not sum to "
        "one, two code paths compute different gradients.",
        question="Two runs differ after one step. How would you tell rounding from a mistake?",
        alt="Two bars on a logarithmic axis: the distance between two code paths after one step, "
        "for labels that sum to one and for labels that do not",
        command="experiment trap --quick",
    ),
    Card(
        name="no-seeds",
        lesson="10",
        kind="NoSeeds",
        claim="The forum answer: without seeds, every metric varies wildly within the first ten "
        "iterations. Here two metrics were measured, in five runs each.",
        question="After ten iterations, which vary more: runs without seeds or with other threads?",
        alt="Thin lines of loss over ten iterations, in two colours: runs with random seeds, and "
        "runs with one seed",
        command="experiment no-seeds --quick",
    ),
    Card(
        name="hash-seed",
        lesson="10",
        kind="HashSeed",
        claim="PYTHONHASHSEED must be set before the interpreter starts.",
        question="Your script sets PYTHONHASHSEED in its first line. What does that change?",
        alt="A bar for each way of setting the variable: the number of different hashes in fresh "
        "processes, and below it the number of different training results",
        command="experiment hash-seed --quick",
    ),
    Card(
        name="determinism",
        lesson="10",
        kind="Determinism",
        claim="Op determinism promises repeatable bits; its cost has to be measured.",
        question="What does op determinism promise: equal bits on one machine, or on every "
        "machine?",
        alt="A row for each setting: crosses for the repeated run, dots for its distance from "
        "another; runs with the same bits are at the left edge",
        command="experiment determinism --quick",
    ),
    Card(
        name="sources",
        lesson="10",
        kind="Sources",
        claim="Even if everything is seeded, rounding can change a run; here another seed changed "
        "it more.",
        question="Threads, kernels, XLA, one ulp, a seed: how far does each move the weights?",
        alt="A row for each source of difference with a dot for the distance of each pair of "
        "runs; seeds are orange diamonds; pairs with the same bits are left of a dotted line",
        command="experiment sources --quick",
    ),
    Card(
        name="question",
        lesson="10",
        kind="Question",
        claim="The forum question: with every seed set, each run of the same code gives a "
        "different result. Here the repeated run with 1 thread had the same bits.",
        question="Is the code in the forum question wrong, or is such training not reproducible?",
        alt="Lines of validation accuracy over the epochs, one for each run: the first, a "
        "repetition, two threads, another seed",
        command="experiment question --epochs 5",
    ),
)


__all__ = ["CARDS", "Card", "chosen"]

CARDS: tuple[Card, ...] = (*ARITHMETIC_CARDS, *TRAINING_CARDS)


def chosen(lessons: Iterable[str] | None = None) -> tuple[Card, ...]:
    """Return the cards of the given lessons, or all cards.

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
