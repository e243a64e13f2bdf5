"""The errors that fpdrift raises on purpose: one line each, with the value and the way out."""

from __future__ import annotations

#: Which extra of ours brings a module that the core does without.
EXTRA_OF = {
    "distributed": "cluster",
    "ipywidgets": "lessons",
    "jupyterlab": "lessons",
    "jupytext": "lessons",
    "keras": "cnn",
    "pandas": "export",
    "pptx": "slides",
    "sklearn": "cnn",
    "tensorboard": "export",
    "tensorflow": "cnn",
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


class RecordError(FpdriftError):
    """A file is no record, is damaged, or cannot be written."""


class ChildError(FpdriftError):
    """A process of ours failed, was killed or took too long."""
