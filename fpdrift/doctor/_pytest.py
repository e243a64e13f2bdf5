"""A pytest fixture: a training must give the same bits in two fresh processes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fpdrift.doctor._results import ScriptDiagnosis

#: Imports the function from its file under the file's own name, and calls it.
_CALL = """\
import importlib.util
import sys

sys.path.insert(0, {folder!r})
spec = importlib.util.spec_from_file_location({module!r}, {file!r})
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
module.{name}()
"""


@pytest.fixture
def assert_reproducible(tmp_path: Path) -> Callable[..., ScriptDiagnosis]:
    """Return a function that fails the test unless a training repeats bit for bit.

    ``assert_reproducible(train)`` takes a function of no arguments at the top level of a module,
    such as the test's own, that trains with an optimizer of Keras. It is called in fresh processes.
    """

    def check(train: Callable[[], Any], **options: Any) -> ScriptDiagnosis:
        from fpdrift.doctor._examine import diagnose_script
        from fpdrift.errors import FpdriftError, short_repr

        if not inspect.isfunction(train) or "." in train.__qualname__:
            message = f"train must be a function at the top of a module, not {short_repr(train)}"
            raise FpdriftError(message)
        file = Path(inspect.getfile(train)).resolve()
        text = _CALL.format(
            folder=str(file.parent), module=file.stem, file=str(file), name=train.__name__
        )
        script = tmp_path / f"call_{train.__name__}.py"
        script.write_text(text, encoding="utf-8")
        found = diagnose_script(script, **options)
        if found.conclusion != "repeats":
            causes = "".join(f"\n{cause}\n  remedy: {cause.remedy}" for cause in found.causes)
            pytest.fail(f"{train.__name__}: {found.finding}{causes}", pytrace=False)
        return found

    return check
