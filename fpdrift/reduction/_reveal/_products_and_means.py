"""Reveal the order of dot products, matrix products and means by treating them as sums.

Multiplication by one changes no number, so the sums inside a product can be probed like any other.
Whether each product is rounded before it is added (or fused into the addition) shows only with
random factors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from fpdrift.backends.devices import aligned_zeros, offset_of
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of
from fpdrift.reduction._plan import LARGEST_N
from fpdrift.reduction._reveal._results import Revealed
from fpdrift.reduction._reveal._reveal import reveal
from fpdrift.reduction._reveal._sum_adapter import SumAdapter, mean_finishes
from fpdrift.validation import check_callable, check_int


def reveal_dot(
    dot_function: Callable[[Any, Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
    name: str | None = None,
) -> Revealed:
    """Find the order in which a function of two (n,) arrays adds their products.

    The second array holds ones during the search for the tree and random factors afterwards:
    ``.products`` of the result says whether each product is rounded before it is added. Parameters
    and errors are those of `reveal`.
    """
    name = name or _name(dot_function)
    asked = sum_of_dot(dot_function, n, dtype)
    return reveal(asked, n, dtype, max_probes=max_probes, rng=rng, name=name)


def reveal_matmul(
    matmul_function: Callable[[Any, Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    shape: tuple[int, int] = (2, 2),
    element: tuple[int, int] = (0, 0),
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
    name: str | None = None,
) -> Revealed:
    """Find the order of additions in one element of a product of (rows, n) and (n, columns).

    Parameters
    ----------
    matmul_function : callable
        Takes the two matrices and returns their product, of the dtype.
    n : int
        The inner size.
    dtype : str or numpy.dtype
    shape : tuple of int, default (2, 2)
        Rows and columns of the product; the order may depend on them.
    element : tuple of int, default (0, 0)
        Row and column of the element.
    max_probes, rng, name
        As for `reveal`, which also describes the result and the errors.
    """
    name = name or _name(matmul_function)
    asked = sum_of_matmul(matmul_function, n, dtype, shape, element)
    return reveal(asked, n, dtype, max_probes=max_probes, rng=rng, name=name)


def reveal_mean(
    mean_function: Callable[[Any], Any],
    n: int,
    dtype: Any = "float32",
    *,
    max_probes: int | None = None,
    rng: np.random.Generator | None = None,
    name: str | None = None,
) -> Revealed:
    """Find the order in which a mean adds.

    A replay divides by n, or multiplies by 1 / n, before or after its last rounding; one of these
    must be bit-identical to the function. Parameters, result and errors are those of `reveal`.
    """
    name = name or _name(mean_function)
    asked = sum_of_mean(mean_function, n, dtype)
    return reveal(asked, n, dtype, max_probes=max_probes, rng=rng, name=name)


def sum_of_mean(
    mean_function: Callable[[Any], Any], n: int, dtype: Any = "float32"
) -> Callable[[Any], Any]:
    """Wrap a mean of (n,) numbers for `reveal` and `same_order`."""
    check_callable("the function", mean_function)
    n = check_int("n", n, 1, LARGEST_N)
    finishes = mean_finishes(n)
    return SumAdapter(mean_function, n, format_of(dtype), _name(mean_function), finishes=finishes)


def sum_of_dot(
    dot_function: Callable[[Any, Any], Any], n: int, dtype: Any = "float32"
) -> Callable[[Any], Any]:
    """Wrap a function of two (n,) arrays as a sum of the first; the second holds ones.

    `reveal` and `same_order` also call it with random factors.
    """
    _check(dot_function)
    n, fmt = check_int("n", n, 1, LARGEST_N), format_of(dtype)
    return SumAdapter(dot_function, n, fmt, _name(dot_function), multiplies=True)


def sum_of_matmul(
    matmul_function: Callable[[Any, Any], Any],
    n: int,
    dtype: Any = "float32",
    shape: tuple[int, int] = (2, 2),
    element: tuple[int, int] = (0, 0),
) -> Callable[[Any], Any]:
    """Wrap a matrix product as the sum in one of its elements; see `reveal_matmul`.

    `reveal` and `same_order` also call it with random factors.
    """
    _check(matmul_function)
    fmt, n = format_of(dtype), check_int("n", n, 1, LARGEST_N)
    rows, columns = _two("shape", shape, 1, (2**15, 2**15))
    row, column = _two("element", element, 0, (rows - 1, columns - 1))

    @cache
    def matrices(offset: int) -> tuple[Any, Any]:
        """Make both matrices with the numbers' alignment, which may change a kernel's order."""
        shapes = (rows, n), (n, columns)
        left, right = (aligned_zeros(shape, fmt.dtype, offset) for shape in shapes)
        return left, right

    def multiply(values: Any, factors: Any) -> Any:
        left, right = matrices(offset_of(values))
        left[:], right[:] = 1, 1  # a function may have modified them
        left[row], right[:, column] = values, factors
        product = np.asarray(matmul_function(left, right))
        if product.shape != (rows, columns):
            message = f"the product has the shape {product.shape}; expected {(rows, columns)}"
            raise FpdriftError(message)
        return product[row, column]

    return SumAdapter(multiply, n, fmt, _name(matmul_function), multiplies=True)


def _two(name: str, values: Any, least: int, most: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(values, tuple | list) or len(values) != len(most):
        message = f"{name} is {short_repr(values)}; pass two whole numbers, such as (2, 2)"
        raise FpdriftError(message)
    first, second = (check_int(name, v, least, end) for v, end in zip(values, most, strict=True))
    return first, second


def _check(function: Any) -> None:
    if function is None:
        message = "the function is None; pass a function of two arrays"
        raise FpdriftError(message)
    check_callable("the function", function)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
