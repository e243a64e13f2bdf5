"""A sample of the random boxes of `tests/faults/sweep_reveal.py`, none of them judged wrongly."""

from dataclasses import replace

import pytest

from fpdrift.reduction import plans, reveal

SEED = 3


@pytest.mark.parametrize(("small", "cases"), [(True, 28), (False, 16)])
def test_no_box_is_judged_wrongly(small, cases):
    from sweep_reveal import judge

    judged = [judge(SEED, small, index) for index in range(cases)]
    assert [wrong for *_, wrong in judged if wrong] == []
    assert len({kind for kind, *_ in judged}) > 6


@pytest.mark.parametrize(
    ("verdict", "plan"),
    [("confirmed", plans.reversed_), ("order-independent", lambda _: None)],
)
def test_a_wrong_verdict_would_show(verdict, plan, monkeypatch):
    import sweep_reveal

    def lies(function, n, *arguments, **settings):
        found = reveal(function, n, *arguments, **settings)
        return replace(found, verdict=verdict, plan=plan(n), algorithms=())

    monkeypatch.setattr(sweep_reveal, "reveal", lies)
    judged = [sweep_reveal.judge(SEED, False, index) for index in range(8)]
    wrong = [complaint for kind, _, complaint in judged if kind in sweep_reveal.FOLLOWING]
    assert len(wrong) > 2
    assert all(wrong)
