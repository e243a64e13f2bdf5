import pytest
from helpers import require


@pytest.fixture(autouse=True)
def fresh_keras():
    """The policy and the seeds start anew for each test."""
    keras = require("keras")
    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_dtype_policy(policy)
