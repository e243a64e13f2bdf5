import pytest
from helpers import require

collect_ignore = []


@pytest.fixture(autouse=True)
def fresh_keras():
    """Automatic names, the policy and the seeds start anew for each test."""
    keras = require("keras")
    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_dtype_policy(policy)
    keras.backend.clear_session()
