"""Plans are trees in one form, however they are given."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.errors import FpdriftError
from fpdrift.reduction import Plan
from fpdrift.reduction import plans as makers


def nested(plan):
    """The tree as frozensets of frozensets: no order, no numbers of nodes."""
    known = list(range(plan.n))
    for node in range(plan.nodes):
        kids = plan.children[plan.starts[node] : plan.starts[node + 1]]
        known.append((bool(plan.aligned[node]), frozenset(known[kid] for kid in kids)))
    return known[-1]


def rewritten(plan, rng):
    """The same tree with its nodes in another order and their children shuffled."""
    ready = {*range(plan.n)}
    number = {kid: kid for kid in range(plan.n)}
    kids = [plan.children[a:b] for a, b in zip(plan.starts, plan.starts[1:], strict=False)]
    left, nodes, aligned = set(range(plan.nodes)), [], []
    while left:
        node = rng.choice([k for k in left if ready.issuperset(kids[k].tolist())])
        left.remove(node)
        nodes.append([number[kid] for kid in rng.permutation(kids[node]).tolist()])
        aligned.append(plan.aligned[node])
        ready.add(plan.n + node)
        number[plan.n + node] = plan.n + len(nodes) - 1
    starts = np.cumsum([0, *map(len, nodes)])
    children = np.concatenate(nodes)
    return Plan(n=plan.n, children=children, starts=starts, aligned=aligned)


@given(st.integers(2, 25), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_the_way_it_is_written_does_not_count(n, seed, many, aligned):
    rng = np.random.default_rng(seed)
    plan = makers.fused(n, 3, aligned=aligned) if many else makers.random(n, rng)
    again = rewritten(plan, rng)
    assert nested(again) == nested(plan)
    assert again == plan
    assert hash(again) == hash(plan)
    assert str(again) == str(plan)


@given(st.integers(2, 9), st.integers(0, 2**32))
def test_plans_are_equal_only_if_their_trees_are(n, seed):
    rng = np.random.default_rng(seed)
    one, other = makers.random(n, rng), makers.random(n, rng)
    assert (one == other) == (nested(one) == nested(other)) == (str(one) == str(other))


def test_kinds_of_nodes_and_extra_bits_count():
    plans = {
        makers.fused(6, 3),
        makers.fused(6, 3, aligned=True),
        makers.fused(6, 3, aligned=True, extra_bits=1),
        makers.fused(6, 3, extra_bits=1),  # nothing is aligned: as the first
    }
    assert len(plans) == 3
    assert makers.fused(6, 3) != "a plan"


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (makers.sequential(4), "(((0+1)+2)+3)"),
        (makers.reversed_(4), "(0+(1+(2+3)))"),
        (makers.in_order([2, 0, 1]), "((0+2)+1)"),
        (makers.pairwise(4), "((0+1)+(2+3))"),
        (makers.pairwise(7, 2), "((0+(1+2))+((3+4)+(5+6)))"),
        (makers.strided(6, 2), "(((0+2)+4)+((1+3)+5))"),
        (makers.blocked(5, 2), "(((0+1)+(2+3))+4)"),
        (makers.fused(7, 3), "(((0+1+2)+3+4+5)+6)"),
        (makers.fused(4, 4, aligned=True), "[0+1+2+3]"),
        (makers.fused(3, 1), "((0+1)+2)"),
        (makers.numpy_like(7), "((((((0+1)+2)+3)+4)+5)+6)"),
        (makers.numpy_like(10), "(((((0+1)+(2+3))+((4+5)+(6+7)))+8)+9)"),
        (makers.from_arrivals([1, 0], 5), "(((0+1)+2)+(3+4))"),
        (makers.from_arrivals([2, 0, 1], 6), "(((0+1)+(4+5))+(2+3))"),
        (makers.sequential(1), "0"),
    ],
)
def test_small_plans_can_be_read(plan, text):
    assert str(plan) == text


@pytest.mark.parametrize(
    "make",
    [
        makers.sequential,
        makers.reversed_,
        makers.pairwise,
        makers.numpy_like,
        lambda n: makers.strided(n, 4),
        lambda n: makers.strided(n, 10**6),
        lambda n: makers.blocked(n, 10**6),
        lambda n: makers.fused(n, 3),
        lambda n: makers.random(n, np.random.default_rng(n)),
    ],
)
def test_makers_give_a_tree_for_every_n_and_json_keeps_it(make):
    for n in range(1, 40):
        plan = make(n)
        assert plan.n == n
        again = Plan.from_json(plan.to_json())
        assert again == plan
        assert again.levels.tolist() == plan.levels.tolist()


def test_large_plans_are_no_trouble_and_frozen():
    plan = makers.in_order(np.random.default_rng(1).permutation(10**6))
    assert repr(plan) == str(plan) == "Plan(1,000,000 inputs, 999,999 nodes, depth 999,999)"
    assert plan.is_binary
    with pytest.raises(ValueError, match="read-only"):
        plan.children[0] = 1


def test_an_aligned_node_of_two_is_no_ordinary_addition():
    assert makers.fused(4, 1).is_binary
    assert not makers.fused(4, 1, aligned=True).is_binary
    assert not makers.fused(4, 2).is_binary


def test_each_random_tree_is_as_likely_as_the_others():
    rng = np.random.default_rng(1)
    trees = Counter(str(makers.random(3, rng)) for _ in range(3000))
    assert set(trees) == {"((0+1)+2)", "((0+2)+1)", "(0+(1+2))"}
    assert all(900 < times < 1100 for times in trees.values())  # standard deviation 26


def test_depths():
    assert makers.sequential(100).depth == 99
    assert makers.pairwise(100).depth == 7
    assert makers.sequential(1).depth == 0


def test_nested_plans_keep_who_adds_what():
    inner = [makers.fused(3, 3, aligned=True, extra_bits=2), makers.sequential(2)]
    plan = makers.nest(makers.sequential(2), inner, [4, 3, 2, 1, 0])
    assert str(plan) == "((0+1)+[2+3+4])"
    assert plan.extra_bits == 2


def plan_of(n, *nodes, **more):
    children = [kid for node in nodes for kid in node]
    return Plan(n=n, children=children, starts=np.cumsum([0, *map(len, nodes)]), **more)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plan_of(0), "n is 0"),
        (lambda: plan_of(2.0, [0, 1]), "n is 2.0"),
        (lambda: plan_of(True), "n is True"),
        (lambda: plan_of(2), "0 children for 2 inputs"),
        (lambda: plan_of(2, [0, 0]), "0 is added 2 times"),
        (lambda: plan_of(3, [0, 1]), "2 children for 3 inputs"),
        (lambda: plan_of(3, [0, 4], [1, 2]), "node 3 adds 4"),
        (lambda: plan_of(2, [0, -1]), "node 2 adds -1"),
        (lambda: plan_of(2, [0], [1, 2]), "starts must increase"),
        (lambda: Plan(n=2, children=[0, 1], starts=[0, 3]), "starts must increase"),
        (lambda: Plan(n=2, children=[0, 1], starts=[]), "starts must increase"),
        (lambda: Plan(n=2, children=[0, 1.5], starts=[0, 2]), "children is"),
        (lambda: Plan(n=2, children=[0, 2**40], starts=[0, 2]), "children is"),
        (lambda: Plan(n=2, children=[0, -(2**32)], starts=[0, 2]), "children is"),
        (lambda: plan_of(2, [0, 1], aligned=[1]), "aligned is"),
        (lambda: plan_of(2, [0, 1], aligned=[True, True]), "aligned is"),
        (lambda: plan_of(2, [0, 1], extra_bits=9), "extra_bits is 9"),
        (lambda: makers.in_order([]), "order is"),
        (lambda: makers.in_order([1, 2]), "adds 2"),
        (lambda: makers.strided(4, 0), "lanes is 0"),
        (lambda: makers.pairwise(-1), "n is -1"),
        (lambda: makers.from_arrivals([0, 1, 2], 2), "n is 2"),
        (lambda: makers.nest(makers.sequential(2), [makers.sequential(1)]), "1 plans for 2"),
        (lambda: makers.nest(makers.sequential(1), [makers.sequential(2)], [0]), "order is"),
        (
            lambda: makers.nest(
                makers.sequential(2),
                [makers.fused(3, 3, aligned=True, extra_bits=k) for k in (1, 2)],
            ),
            "extra_bits of",
        ),
    ],
)
def test_what_is_no_tree_is_refused(make, message):
    with pytest.raises(FpdriftError, match=message):
        make()
