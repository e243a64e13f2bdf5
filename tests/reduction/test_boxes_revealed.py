"""What `reveal` says of black boxes that are known: a sample; `make faults` runs them all."""

import pytest
from grid import (
    ACCUMULATORS,
    DTYPES,
    WITH_TREE,
    complaints_of_tree,
    complaints_without_tree,
    sample,
)
from treeless import WITHOUT_TREE


def test_there_are_at_least_forty_boxes_with_a_tree():
    assert len(set(WITH_TREE)) >= 40


@pytest.mark.parametrize(("kind", "name"), WITH_TREE)
def test_the_tree_and_the_accumulator_are_found(kind, name):
    complaints = [
        complaint
        for n, dtype in sample(name, ACCUMULATORS[kind])
        for complaint in complaints_of_tree(kind, name, n, dtype)
    ]
    assert not complaints


@pytest.mark.parametrize("name", WITHOUT_TREE)
def test_a_box_without_a_tree_gets_its_verdict(name):
    complaints = [
        complaint
        for n, dtype in sample(name, DTYPES)
        for complaint in complaints_without_tree(name, n, dtype)
    ]
    assert not complaints
