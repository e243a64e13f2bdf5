"""Exceptions and warnings raised by fpdrift; each message is one line: the value and the remedy."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from collections.abc import Iterable

#: The extra of fpdrift that installs each optional module.
EXTRA_OF = {
    "distributed": "cluster",
    "ipywidgets": "lessons",
    "jax": "jax",
    "jupyterlab": "lessons",
    "jupytext": "lessons",
    "keras": "cnn",
    "libcst": "lint",
    "pandas": "export",
    "pptx": "slides",
    "pyarrow": "export",
    "shtab": "completion",
    "sklearn": "cnn",
    "tensorboard": "export",
    "tensorflow": "cnn",
    "torch": "torch",
}


class FpdriftError(Exception):
    """An error that the caller can correct; the message says what is wrong and what to do."""


class MissingExtraError(FpdriftError):
    """A library that this part of fpdrift needs is not installed.

    Parameters
    ----------
    module : str
        The import name that was not found, such as ``"tensorflow"``.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.extra = EXTRA_OF.get(module, "all")
        super().__init__(
            f"{module} is not installed; run: pip install 'fpdrift[{self.extra}]' "
            f"(in a checkout: pip install -e '.[{self.extra}]')"
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str]]:
        return type(self), (self.module,)


class RecordError(FpdriftError):
    """A file is not a record, is damaged, or cannot be written."""


class MissingDataError(FpdriftError):
    """A data set is not available; never raised for a damaged one, so a fallback is safe."""


class FpdriftWarning(UserWarning):
    """A requested part was left out; the rest of the work was done."""


class ChildError(FpdriftError):
    """A child process failed, was killed or timed out."""


def short_repr(value: object) -> str:
    """Return the repr of a value on one short line, for an error message."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python refuses to write integers of more than 4300 digits
        return "an integer of thousands of digits"
    except Exception:  # noqa: BLE001 - a foreign class may raise anything
        return f"a value of type {type(value).__name__}, whose repr fails"
    return text if len(text) <= 60 else f"{text[:57]}..."


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the question that ends an error about a mistyped name; nothing if none is near.

    Examples
    --------
    >>> did_you_mean("trian", ["train", "show"])
    " (did you mean 'train'?)"
    """
    from difflib import get_close_matches

    near = get_close_matches(name[:60], [*known], n=1) if isinstance(name, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""
