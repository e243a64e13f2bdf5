"""The errors that fpdrift raises on purpose: one line each, with the value and the way out."""

from __future__ import annotations

#: Which extra of ours brings a module that the core does without.
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
