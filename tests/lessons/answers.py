"""Right and wrong answers to every exercise: lesson, check -> (right, wrong)."""

from fpdrift.lessons import order

#: What no exercise takes for an answer.
NEVER = (..., None, object(), {"a": 1}, float("nan"))

ANSWERS = {
    order.check_1: ([1], [0, 2, 4.44e-16, True, "1"]),
    order.check_2: (["2*11/9", " 2 * 11 / 9"], ["2/9*11", "22/9", "2/(9/11)", 1]),
    order.check_3: (
        [(1, 3, 10), [1, 3, 10]],
        [(2, 11, 9), (11, 2, 9), (2, 4, 8), (1, 3), 7, (1.0, 3, 10), (0, 3, 10), (1, 3, 21)],
    ),
    order.check_4: (
        ["0.1+0.2+0.3"],
        ["0.5+0.25+0.125", "0.1*3", "0.1+", "1/3+1", 0.6, "import os"],
    ),
}
