"""Cards of lessons 00 to 06: floats, and sums in one order or another."""

from __future__ import annotations

from fpdrift.arithmetic import Orders
from fpdrift.experiments import ThreadsAndTree, TwoLoops, study
from fpdrift.floats import Anatomy
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
from fpdrift.slides.card import Card

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
