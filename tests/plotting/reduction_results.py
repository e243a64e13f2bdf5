"""One result of each kind that sums and their order have, some of them made by hand."""

import numpy as np

from fpdrift.reduction import (
    Evidence,
    Revealed,
    SameOrder,
    order_spread,
    plans,
    spread_growth,
    strategies,
    sum_growth,
    sum_table,
    thread_operation,
)
from fpdrift.reduction.batch import (
    AlignmentRun,
    AlignmentTable,
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
)
from fpdrift.reduction.batch._results import equality
from fpdrift.reduction.gpu import DeterminismCost, GpuKernel, GpuRecording, GpuRun, GpuSums, GpuTree
from fpdrift.serialization import read_only

EVIDENCE = Evidence(
    why="Planted: the same input gave 3.5 and then 3.25.",
    repeats=256,
    missed_rate=0.0116,
    permutations=0,
    fresh=20,
    replayed=100,
    agreed=100,
    accumulators=("float32", "float64"),
    flushes_subnormals=False,
    power="Planted power.",
    counterexample=None,
    observed=None,
    expected=None,
)


def revealed(plan, name="planted:sum", verdict="confirmed", **given):
    """Pretend to have revealed a plan."""
    fields = {"n": plan.n if plan else 64, "dtype": "float32", "accumulator": None}
    fields |= {"probes": 33, "calls": 1234, "evidence": EVIDENCE} | given
    return Revealed(name=name, verdict=verdict, plan=plan, **fields)


def same_order(first, second, same=False, **given):
    """Pretend to have compared two plans; None stands for no plan."""
    boxes = [
        revealed(plan, f"planted:{name}", "confirmed" if plan else "inconsistent")
        for name, plan in (("one", first), ("other", second))
    ]
    fields = {"n": boxes[0].n, "dtype": "float32", "same": same}
    apart = {"only_first": ((2, 3),), "only_second": ((1, 2),)} if first != second else {}
    fields |= {"shared": 1, "only_first": (), "only_second": ()} | apart
    fields |= {"example": None, "first_gave": None, "second_gave": None} | given
    return SameOrder(first=boxes[0], second=boxes[1], **fields)


def compared(labels, steps):
    """Compare one row with itself, moved by so many ulps."""
    row = np.linspace(1, 1.5, 20, dtype=np.float32)
    return equality(labels, [(row.view(np.int32) + k).view(np.float32) for k in steps])


LABELS = ("1", "2 first", "2 last", "8 first", "8 last", "1000 first", "1000 last")


def batch_run(operation="matmul", library="numpy", steps=(0, 1, 1, 0, 70, 5000, 5000)):
    """Pretend to have computed a row in batches."""
    return BatchRun(
        operation=operation,
        library=library,
        how="(batch, 4096) times (4096, 128)",
        batches=(1, 2, 2, 8, 8, 1000, 1000),
        places=("alone", *("first", "last") * 3),
        equality=compared(LABELS, steps),
    )


def report(name, library="numpy", reason=None):
    """Pretend that a condition was tried."""
    condition = BatchCondition(name=name, library=library)
    return ConditionReport(condition=condition, reason=reason, found={} if reason else {"is": "1"})


def batch_classes(*runs):
    """Pretend to have computed rows by NumPy, and TensorFlow to be missing."""
    reports = (report("as it is"), report("as it is", "tensorflow", "not installed, planted"))
    return BatchClasses(seed=1, batches=(1, 2, 8, 1000), runs=runs, reports=reports)


def condition_run(operation="matmul", steps=(0, 0, 3, 9, 9)):
    """Pretend to have computed rows under conditions."""
    labels = ("as it is", "1 thread", "2 threads", "AVX2", "SSE41")[: len(steps)]
    equal = compared(labels, steps)
    return ConditionRun(operation=operation, library="numpy", how="", equality=equal, within=())


def condition_matrix(*runs):
    """Pretend to have tried conditions, one of them in vain."""
    reports = (report("as it is"), report("AMX", reason="this processor has no amx_bf16"))
    return ConditionMatrix(seed=1, batches=(1, 64), runs=runs, reports=reports)


def alignment_run(operation="scipy.linalg.blas:sasum", *, still=False, unsteady=False):
    """Pretend to have called a function at addresses, under two kernel sets."""
    changed = (0,) * 8 if still else (0, 0, 1, 1, 0, 0, 2, 1)
    return AlignmentRun(
        operation=operation,
        dtype="float32",
        library="numpy",
        conditions=("as it is", "OpenBLAS for Nehalem"),
        offsets=tuple(range(0, 32, 4)),
        classes=(changed, (0,) * 8),
        ulps=(0 if still else 2, 0),
        unsteady=(unsteady, False),
    )


def alignment_table(*runs):
    """Pretend to have tried kernel sets, one of them in vain."""
    reason = "this processor does not report avx512bw"
    reports = (
        report("as it is"),
        report("OpenBLAS for Nehalem"),
        report("OpenBLAS for SkylakeX", reason=reason),
    )
    return AlignmentTable(seed=1, runs=runs, reports=reports)


def gpu_run(operation="one-pass", n=10_000, *, still=False, outputs=1, deterministic=False):
    """Pretend to have added on a GPU, 20 times."""
    moved = np.zeros(20) if still else np.resize([-2, 0, 1, 3], 20)
    values = (np.float32(n) * (1 + moved * 2.0**-23)).astype(np.float32)
    one = outputs == 1
    return GpuRun(
        operation=operation,
        n=n,
        outputs=outputs,
        deterministic=deterministic,
        reference_is="the first try",
        reference=np.float32(n) if one else None,
        values=read_only(values) if one else None,
        distinct=1 if still else 4,
        v_s=read_only(1 - np.abs(values / np.float64(n))) if one else None,
        v_c=read_only(np.zeros(20) if still else np.resize([0, 0.25], 20)),
        v_ermv=read_only(np.abs(moved) * 2.0**-23),
    )


def gpu_sums(*runs, origin="simulated", **given):
    """Pretend to have run a GPU, or to have simulated one."""
    cost = DeterminismCost(
        operation="index_add", n=100, switch="planted", ratios=read_only([1.5, 2.0, 2.5])
    )
    simulated = origin == "simulated"
    fields = {
        "device": None if simulated else "Planted GPU",
        "on_gpu": not simulated,
        "library": None if simulated else "torch 0.0",
        "kernel": GpuKernel() if simulated else None,
        "sizes": (100, 10_000),
        "costs": () if simulated else (cost,),
        "skipped": {} if simulated else {"matmul TF32": "planted reason"},
        **given,
    }
    return GpuSums(
        origin=origin, dtype="float32", distribution="uniform", seed=1, runs=runs, **fields
    )


def gpu_recording():
    """Pretend to have recorded a GPU."""
    sums = gpu_sums(gpu_run("sum", still=True), gpu_run("atomic sum"), origin="recorded")
    return GpuRecording(
        origin="recorded",
        device="Planted GPU",
        on_gpu=True,
        library="torch 0.0",
        fast=True,
        sums=sums,
        trees=(gpu_tree(),),
        skipped={"float8": "planted reason"},
    )


def gpu_tree():
    """Pretend to have revealed a tensor core."""
    plan = plans.fused(16, 4, aligned=True)
    return GpuTree(origin="recorded", precision="TF32", revealed=revealed(plan, "torch:matmul"))


def reduction_results():
    """Give a name and a result for each kind, and for each way that its picture can look."""
    yield "plan", plans.numpy_like(8)
    yield "plan-1", plans.sequential(1)
    yield "plan-32", plans.numpy_like(32)
    yield "plan-64", plans.numpy_like(64)
    yield "plan-1000", plans.numpy_like(1000)
    yield "plan-random", plans.random(300, np.random.default_rng(1))
    yield "plan-fused", plans.fused(33, 8, aligned=True)
    yield "revealed", revealed(plans.pairwise(16))
    yield "revealed-nothing", revealed(None, verdict="inconsistent")
    yield "two", same_order(plans.pairwise(8), plans.sequential(8))
    yield "two-32", same_order(plans.numpy_like(32), plans.strided(32, 4))
    yield "two-1000", same_order(plans.numpy_like(1000), plans.pairwise(1000))
    yield "two-alike", same_order(plans.fused(16, 4), plans.fused(16, 4), True)
    yield "two-unknown", same_order(plans.pairwise(8), None, None)
    yield "two-unconfirmed", same_order(plans.pairwise(8), plans.sequential(8), None)
    yield "sums", sum_table(50, (1e2, 1e6), orders=3)
    yield "sums-growth", sum_growth((6, 60), orders=2)
    yield "sums-one", sum_table(6, (2,), dtype="float64", orders=1)
    yield "spread", order_spread(100, orders=50, chunks=8, tries=3, threads=1)
    yield "spread-one", order_spread(1, orders=2, chunks=1, tries=1, threads=1)
    yield "spread-growth", spread_growth((64, 256), (4, 16), threads=1, tries=2, drawn=20)
    yield "strategies", strategies("dot", 512, chunks=4, threads=1, tries=2, rounds=1)
    yield "operation", thread_operation("matmul", 64, chunks=4, threads=(1, 2), tries=2)
    yield "operation-sum", thread_operation("sum", 64, chunks=4, threads=1, tries=2)
    yield "equality", compared(("a", "b", "c"), (0, 1, 0))
    yield "equality-one", compared(("a", "b"), (0, 0))
    yield "batch", batch_run()
    yield "batches", batch_classes(batch_run(), batch_run("softmax", steps=(0,) * 7))
    yield "batches-nothing", batch_classes()
    yield "condition", condition_run()
    yield "conditions", condition_matrix(condition_run(steps=(0,) * 5), condition_run("softmax"))
    yield "conditions-nothing", condition_matrix()
    yield "alignment-run", alignment_run()
    several = ("scipy.linalg.blas:dasum", "numpy:sum", "scipy.special:softmax", "own:f", "own:g")
    moved, still = alignment_run(), alignment_run("numpy:dot", still=True)
    yield "alignment", alignment_table(moved, still, alignment_run("own:f", unsteady=True))
    yield "alignment-many", alignment_table(moved, *map(alignment_run, several))
    yield "alignment-still", alignment_table(still)
    yield "alignment-nothing", alignment_table()
    two_pass = gpu_run("two-pass", still=True, deterministic=True)
    yield "gpu", gpu_sums(gpu_run(n=100), gpu_run(), two_pass)
    yield "gpu-still", gpu_sums(two_pass)
    yield "gpu-outputs", gpu_sums(gpu_run("index_add", outputs=100), origin="live")
    yield "gpu-nothing", gpu_sums(origin="live", device=None, on_gpu=False, library=None)
    yield "gpu-recording", gpu_recording()
    yield "gpu-tree", gpu_tree()
