"""PyTorch's sums on its CPU: the tree that is revealed gives PyTorch's own bits."""

import numpy as np
import pytest
from helpers import require

from fpdrift.cli.main import main
from fpdrift.reduction import run_plan
from fpdrift.serialization import Result


@pytest.mark.parametrize("function", ["sum", "mean", "dot", "matmul"])
def test_the_plan_gives_torchs_bits(function, tmp_path):
    torch = require("torch")
    n = 8
    saved = tmp_path / "found.json"
    assert main(["reveal", f"torch:{function}", "--n", str(n), "--json", str(saved)]) == 0
    found = Result.from_json(saved.read_text())
    assert found.plan is not None
    assert found.plan.n == n
    rng = np.random.default_rng(3)
    for _ in range(50):
        x = (rng.standard_normal(n) * 10.0 ** rng.integers(-4, 5, n)).astype(np.float32)
        ours = run_plan(found.plan, x)
        ones = torch.ones(n)
        theirs = {
            "sum": lambda t: torch.sum(t),
            "mean": lambda t: torch.mean(t) * n,  # exact: n is a power of two
            "dot": lambda t, ones=ones: torch.dot(t, ones),
            "matmul": lambda t, ones=ones: torch.matmul(t[None], ones[:, None])[0, 0],
        }[function](torch.from_numpy(x))
        assert np.float32(ours).tobytes() == theirs.numpy().tobytes()
