"""Draw once with each method of NumPy's generators and each function of `numpy.random`."""

# ruff: noqa: NPY002 - the global generator is what is watched

import copy
import pickle
import warnings

import numpy as np

ARGUMENTS = {
    "beta": (1, 1),
    "binomial": (9, 0.5),
    "bytes": (3,),
    "chisquare": (2,),
    "choice": (9, 3),
    "dirichlet": ([1, 1],),
    "exponential": (),
    "f": (2, 3),
    "gamma": (2,),
    "geometric": (0.5,),
    "gumbel": (),
    "hypergeometric": (5, 5, 3),
    "integers": (9, None, 5),
    "laplace": (),
    "logistic": (),
    "lognormal": (),
    "logseries": (0.5,),
    "multinomial": (5, [0.5, 0.5]),
    "multivariate_hypergeometric": ([3, 4], 2),
    "multivariate_normal": ([0, 0], [[1, 0], [0, 1]]),
    "negative_binomial": (3, 0.5),
    "noncentral_chisquare": (2, 1),
    "noncentral_f": (2, 3, 1),
    "normal": (0, 1, (2, 2)),
    "pareto": (2,),
    "permutation": (9,),
    "permuted": ([1, 2, 3],),
    "poisson": (),
    "power": (2,),
    "rand": (2,),
    "randint": (9,),
    "randn": (2,),
    "random": (3,),
    "random_integers": (9,),
    "random_sample": (2,),
    "rayleigh": (),
    "standard_cauchy": (),
    "standard_exponential": (),
    "standard_gamma": (2,),
    "standard_normal": (3,),
    "standard_t": (3,),
    "tomaxint": (),
    "triangular": (0, 1, 2),
    "uniform": (),
    "vonmises": (0, 1),
    "wald": (1, 1),
    "weibull": (2,),
    "zipf": (2,),
}
drawn = []


def raw(value):
    """Give a value's bytes, its type and its shape."""
    return value if isinstance(value, bytes) else (np.asarray(value).tobytes(), np.shape(value))


warnings.simplefilter("ignore")
np.random.seed(1)
sources = [np.random, np.random.RandomState(2), np.random.default_rng(3)]
sources += [np.random.Generator(np.random.MT19937(4)), sources[2].spawn(1)[0]]
for source in sources:
    for name, arguments in ARGUMENTS.items():
        if hasattr(source, name):
            drawn.append((name, raw(getattr(source, name)(*arguments))))
    items = np.arange(9)
    source.shuffle(items)
    drawn.append(items.tolist())

drawn += [np.random.sample(), np.random.ranf(), np.random.random(), np.random.normal()]
drawn += [np.random.get_state(legacy=False)["gauss"], np.random.mtrand._rand.normal()]
state = np.random.get_state()
drawn += [np.random.rand(), np.random.set_state(state), np.random.rand()]
for rng, kind in ((sources[1], np.random.RandomState), (sources[2], np.random.Generator)):
    drawn += [type(rng) is kind, isinstance(rng, kind), str(rng), pickle.dumps(rng)]
    drawn += [hasattr(rng, "__dict__"), kind.__name__, kind.__module__]
    copies = rng, copy.deepcopy(rng), pickle.loads(pickle.dumps(rng))
    drawn += [(each.uniform(), type(each) is kind) for each in copies]
drawn.append(np.random.default_rng(sources[2]) is sources[2])
drawn.append(isinstance(np.random.mtrand._rand, np.random.RandomState))
