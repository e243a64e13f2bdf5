"""What a slide is about, whatever its result: its claim, its question, its picture in words.

What there is to show: one card for each picture, in the order of the lessons.

A claim is what is said to be so. What was found stands in the picture's title, with its figures.

Cards of lessons 00 to 06: floats, and sums in one order or another.

Cards of lessons 07 to 10: nudges, trainings, their growth and their seeds.
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
    """One idea, and the kind of result that shows it."""

    #: of the picture's file, and of the recording
    name: str
    #: number of the lesson that tells it
    lesson: str
    kind: type[Result]
    #: what is said to be so, in one sentence
    claim: str
    #: for the room, before the picture is shown
    question: str
    #: what can be seen, for those who cannot see it; the figures are in the title
    alt: str
    #: what makes the result, as typed after ``fpdrift``
    command: str
    #: what gives the same bits on every machine, in seconds; None where it has to be measured
    live: Callable[[Settings], Result] | None = None


ARITHMETIC_CARDS = (
    Card(
        name="float",
        lesson="00",
        kind=Anatomy,
        claim="A computer has no 0.1; it has the nearest number that 64 bits can write.",
        question="Is the number in the computer's memory a little more than 0.1, or a little less?",
        alt="The 64 bits of a float as boxes: sign, exponent and fraction, each lettered, and "
        "below them its exact value, its ulp and its two neighbours",
        command="experiment float",
        live=study("float").run,
    ),
    Card(
        name="order",
        lesson="01",
        kind=Orders,
        claim="An expression in another order, equal on paper, can end in another last bit.",
        question="Both are right on paper. Which of the two results would you trust, and why?",
        alt="Two orders of one expression, step by step: the last bits that were kept, the bits "
        "that fell off, and frames where the two results differ",
        command="experiment order",
        live=study("order").run,
    ),
    Card(
        name="chain",
        lesson="02",
        kind=TwoLoops,
        claim="Of two loops that are equal on paper, the one that rounds more often can be the "
        "better one.",
        question="One loop rounds once a step, the other twice. Which ends nearer to the truth?",
        alt="Three lines that rise from zero over a hundred million steps: the loop that rounds "
        "twice lies on exact arithmetic, the other one above both",
        command="experiment chain",
        live=study("chain").run,
    ),
    Card(
        name="sums",
        lesson="03",
        kind=SumTable,
        claim="How wrong a sum can be depends on its condition number and on the way of adding.",
        question="You may add in any way you like, in float32. How many digits can be saved?",
        alt="Lines of error against condition number, one for each way of summing: the plain ones "
        "rise at once, the exact ones not at all; dotted lines are the bounds above them",
        command="experiment sums",
    ),
    Card(
        name="sums-growth",
        lesson="03",
        kind=SumGrowth,
        claim="How far a sum can be off grows with the numbers added in sequence, and hardly "
        "with those added pairwise or by Kahan's way.",
        question="With a hundred times as many numbers, how much more is each way off?",
        alt="Lines of error against how many numbers are added, one for each way of summing, the "
        "plain loop on top; dotted lines are the bounds",
        command="sums --growth",
    ),
    Card(
        name="threads",
        lesson="04",
        kind=ThreadsAndTree,
        claim="Threads that add in order of arrival can give another sum each time.",
        question="Hundreds of sums of the same numbers by threads: how many different results?",
        alt="Rows of bars, one for each number of threads: where the sums landed, in ulps from the "
        "exact sum; one bar for one thread and for a fixed order",
        command="experiment threads",
    ),
    Card(
        name="orders",
        lesson="04",
        kind=OrderSpread,
        claim="A sum's results in random orders scatter; those of real programs lie among them.",
        question="Where among all orders would you expect NumPy's own sum: in the middle, or far "
        "out?",
        alt="A histogram of one sum in thousands of orders, in ulps from the exact sum, and above "
        "it a row of dots for each real way of adding",
        command="threads --orders 3000 --n 10000",
    ),
    Card(
        name="spread-growth",
        lesson="04",
        kind=SpreadGrowth,
        claim="The more chunks are added one after the other, the farther apart orders can end.",
        question="Four times as many chunks: twice the spread, four times, or more?",
        alt="Lines of spread in ulps against the number of chunks, below a dotted line that no "
        "order exceeds, near another that grows as the square root",
        command="threads --growth",
    ),
    Card(
        name="trees",
        lesson="05",
        kind=Revealed,
        claim="A library can add in a fixed order of its own, which can be found by asking.",
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
        alt="Two trees side by side over the same inputs; additions that only one of them "
        "makes are open orange dots",
        command="reveal numpy:sum --against numpy:einsum",
    ),
    Card(
        name="batch",
        lesson="05",
        kind=BatchClasses,
        claim="A row's result can depend on how many other rows are computed with it.",
        question="Your model answers one customer alone, or in a batch of 1,000. The same bits?",
        alt="A row of lettered cells for each operation, a cell for each batch; cells of one "
        "letter and colour have equal bits",
        command="batch",
    ),
    Card(
        name="conditions",
        lesson="05",
        kind=ConditionMatrix,
        claim="The instruction set, or the kernels for it, can decide the last bits of a result.",
        question="The same program on another processor: what has to be alike for equal bits?",
        alt="A square of conditions against conditions: a cell says equal, or how many ulps apart; "
        "conditions of equal bits share a letter",
        command="batch --conditions --libraries numpy",
    ),
    Card(
        name="gpu",
        lesson="06",
        kind=GpuSums,
        claim="In simulation, blocks that add as they finish can give another sum each time; two "
        "passes cannot.",
        question="This is a simulation: what does it say of a GPU, and what can it not say?",
        alt="Dots of many simulated sums against how many numbers were added, a line through the "
        "largest deviations of each way; the two-pass sum has none",
        command="experiment gpu",
    ),
)


TRAINING_CARDS = (
    Card(
        name="nudged-weights",
        lesson="07",
        kind=NudgeAccount,
        claim="A nudge of less than half the step to the next float leaves no bit behind.",
        question="Half of two million weights are moved by at most 1e-8. Which of them notice?",
        alt="A bar for each size of weights: the share that changed, and hatched the share that "
        "did not, which grows with the size of the weight",
        command="demo --only nudge",
        live=experiment("nudge").run,
    ),
    Card(
        name="nudge",
        lesson="07",
        kind=Study,
        claim="Noise of at most 1e-8 on half of the weights can change where a training ends.",
        question="Five draws of noise, two threads, another seed: how far away does each end?",
        alt="A row for each run and a mark for its distance from the first, on a logarithmic axis; "
        "what has the same bits stands at the left edge, another seed is an orange diamond",
        command="experiment nudge --quick",
    ),
    Card(
        name="dose",
        lesson="07",
        kind=DistanceCurves,
        claim="How large a nudge was need not decide how far apart two runs end.",
        question="A nudge a million times smaller: how much nearer do the two runs end?",
        alt="A line for each size of nudge over the training steps: they start decades apart and "
        "end nearer to each other",
        command="experiment dose --quick",
    ),
    Card(
        name="cnn",
        lesson="08",
        kind=CnnDrift,
        claim="The same network, data and seed can end elsewhere with another number of threads.",
        question="One last bit differs after the first step. How far apart after a hundred?",
        alt="Curves of the weights' distance over the steps, on a logarithmic axis, with a ring "
        "where each pair first differs",
        command="experiment cnn",
    ),
    Card(
        name="five-runs",
        lesson="08",
        kind=FiveRuns,
        claim="The source: its five runs of one epoch differ from the first one's loss by at most "
        "0.0144 %.",
        question="Somebody reports five losses that agree to three digits. Is the code wrong?",
        alt="A row of five dots for each gradient: the losses against the first run's, above those "
        "of the five runs that the source printed",
        command="experiment five-runs --full",
    ),
    Card(
        name="threads-in-training",
        lesson="08",
        kind=Study,
        claim="Fixed threads and instructions repeated a training's bits here; others changed "
        "them.",
        question="What would you have to write down so that somebody else gets your bits?",
        alt="A row for each thread count and instruction set: a cross for the run repeated and a "
        "dot for its distance from one thread; what has the same bits stands at the left edge",
        command="experiment threads-in-training --quick",
    ),
    Card(
        name="metric",
        lesson="08",
        kind=Metric,
        claim="The source: loss is the better measure of such differences, since accuracy jumps.",
        question="One of ten predictions moves by a millionth. What do loss and accuracy do?",
        alt="A row for each metric with marks for how far it spreads: planted, in these runs, in "
        "the source's",
        command="experiment metric --quick",
    ),
    Card(
        name="long",
        lesson="09",
        kind=Long,
        claim="Over thousands of training steps, other rounding can end in other answers.",
        question="After the last epoch, how many answers of the two runs differ?",
        alt="The weights' distance over the steps of all epochs, both axes logarithmic, with "
        "dotted lines at jumps and the share of other answers at epochs' ends",
        command="experiment long --full",
    ),
    Card(
        name="survival",
        lesson="09",
        kind=UlpSurvival,
        claim="One ulp in one weight can outlast the first steps of a training.",
        question="Of some runs that start one ulp apart, how many come back to equal bits?",
        alt="The share of nudges that are still there, over the steps, with a band of uncertainty "
        "and a tick where the watching of the runs ended",
        command="experiment survival --quick",
    ),
    Card(
        name="gate",
        lesson="09",
        kind=OneGate,
        claim="A jump can lie nearly all in one unit, whose ReLU is open in one run alone.",
        question="The distance jumps in a single step. Where in the network would you look?",
        alt="Left a ReLU's kink with both runs on it, one on each side of zero; right bars for the "
        "units of its layer: the share of the distance that each holds",
        command="experiment gate --quick",
    ),
    Card(
        name="amplifiers",
        lesson="09",
        kind=DistanceCurves,
        claim="In 20 steps a nudge can grow a few times in one network, and 100,000 times "
        "in another.",
        question="Nine networks, one nudge each: do you believe the order in which they end?",
        alt="A line for each network over the training steps, from one nudge of the same size each",
        command="experiment amplifiers --quick",
    ),
    Card(
        name="trap",
        lesson="09",
        kind=Trap,
        claim="Not every difference between two runs is rounding: with labels that do not sum to "
        "one, two paths compute different gradients.",
        question="Two runs differ after one step. How would you tell rounding from a mistake?",
        alt="Two bars on a logarithmic axis: how far one step takes two paths apart, for labels "
        "that sum to one and for labels that do not",
        command="experiment trap --quick",
    ),
    Card(
        name="no-seeds",
        lesson="10",
        kind=NoSeeds,
        claim="The source: without seeds every metric runs wild within the first ten iterations. "
        "Here two metrics were measured, in five runs each.",
        question="Ten iterations in: which is wider, runs without seeds or runs on other threads?",
        alt="Thin lines of loss over ten iterations, in two colours: runs "
        "with drawn seeds, and runs with one seed",
        command="experiment no-seeds --quick",
    ),
    Card(
        name="hash-seed",
        lesson="10",
        kind=HashSeed,
        claim="PYTHONHASHSEED has to be set before the interpreter starts.",
        question="Your script sets PYTHONHASHSEED in its first line. What does that change?",
        alt="A bar for each way of setting the variable: how many different hashes fresh processes "
        "gave, and below them how many different trainings",
        command="experiment hash-seed --quick",
    ),
    Card(
        name="determinism",
        lesson="10",
        kind=Determinism,
        claim="Op determinism promises the same bits again; what it costs has to be measured.",
        question="What does op determinism promise: equal bits here, or equal bits anywhere?",
        alt="A row for each setting: crosses for the run repeated, dots for its distance from "
        "another; what has the same bits stands at the left edge",
        command="experiment determinism --quick",
    ),
    Card(
        name="sources",
        lesson="10",
        kind=Sources,
        claim="Once all is seeded, rounding can still move a run; another seed moved it farther "
        "here.",
        question="Threads, kernels, XLA, one ulp, a seed: how far does each move the weights?",
        alt="A row for each source of difference with a dot for the distance of each pair of runs; "
        "seeds are orange diamonds; the same bits stand left of a dotted line",
        command="experiment sources --quick",
    ),
    Card(
        name="question",
        lesson="10",
        kind=Question,
        claim="The question: with every seed set, the same code gives another result in each run. "
        "Here the run repeated with 1 thread had the same bits.",
        question="Is the asker's code wrong, or can such a training not be reproduced?",
        alt="Lines of validation accuracy over the epochs, one for each run: the first, the "
        "same repeated, two threads, another seed",
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
        If there is no card of a lesson.
    """
    if lessons is None:
        return CARDS
    known = tuple(dict.fromkeys(card.lesson for card in CARDS))
    wanted = [lesson.zfill(2) for lesson in lessons]
    for lesson in wanted:
        if lesson not in known:
            message = f"no slide for lesson {short_repr(lesson)}; there are: {', '.join(known)}"
            raise FpdriftError(message)
    return tuple(card for card in CARDS if card.lesson in wanted)
