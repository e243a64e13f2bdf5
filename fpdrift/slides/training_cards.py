"""Cards of lessons 07 to 10: nudges, trainings, their growth and their seeds."""

from __future__ import annotations

from fpdrift.experiments import (
    CnnDrift,
    Courses,
    Determinism,
    FiveRuns,
    HashSeed,
    Long,
    Metric,
    NoSeeds,
    OneGate,
    Question,
    Sources,
    Study,
    Trap,
    UlpSurvival,
    experiment,
)
from fpdrift.perturbation import NudgeAccount
from fpdrift.slides.card import Card

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
        kind=Courses,
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
        kind=Courses,
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
