"""The errors that fpdrift raises on purpose: one line each, with the value and the way out."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer than all the rest of this module
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Which extra of ours brings a module that the core does without.
EXTRA_OF = {
    "distributed": "cluster",
    "ipywidgets": "lessons",
    "jax": "jax",
    "jupyterlab": "lessons",
    "jupytext": "lessons",
    "keras": "cnn",
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
    """Something that the caller can mend; the message says what and how."""


class MissingExtraError(FpdriftError):
    """A part of fpdrift needs a library that is not installed.

    Parameters
    ----------
    module : str
        The import name that was not found, such as ``"tensorflow"``.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.extra = EXTRA_OF.get(module, "all")
        super().__init__(
            f"{module} is not installed; type: pip install 'fpdrift[{self.extra}]' "
            f"(in a checkout: pip install -e '.[{self.extra}]')"
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str]]:
        return type(self), (self.module,)


class RecordError(FpdriftError):
    """A file is no record, is damaged, or cannot be written."""


class MissingDataError(FpdriftError):
    """Data are nowhere to be had, so others may stand in; never said of damaged ones."""


class FpdriftWarning(UserWarning):
    """Something went on without a part that was asked for."""


class ChildError(FpdriftError):
    """A process of ours failed, was killed or took too long."""


def short_repr(value: object) -> str:
    """Show a value of the caller's in one short line, for an error."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python refuses to write integers of more than 4300 digits
        return "an integer of thousands of digits"
    except Exception:  # noqa: BLE001 - a stranger's class may raise anything
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
