"""Draw once with each function of `random`, globally and from an instance, all seeded."""

import copy
import pickle
import random

ITEMS = ["a", "b", "c", "d"]
ARGUMENTS = {
    "random": (),
    "uniform": (0, 1),
    "triangular": (0, 1),
    "randint": (1, 9),
    "choice": (ITEMS,),
    "randrange": (99,),
    "sample": (ITEMS, 2),
    "choices": (ITEMS,),
    "normalvariate": (0, 1),
    "lognormvariate": (0, 1),
    "expovariate": (1,),
    "vonmisesvariate": (0, 1),
    "gammavariate": (1, 1),
    "gauss": (0, 1),
    "betavariate": (1, 1),
    "paretovariate": (1,),
    "weibullvariate": (1, 1),
    "getrandbits": (70,),
    "randbytes": (3,),
    "binomialvariate": (9, 0.5),
}
drawn = []


class Own(random.Random):
    """A generator of a script's own: it overrides what the others draw with."""

    def random(self):
        return super().random() / 2


random.seed(1)
for source in (random, random.Random(2), Own(3)):
    for name, arguments in ARGUMENTS.items():
        if hasattr(source, name):
            drawn.append(getattr(source, name)(*arguments))
    items = [*ITEMS]
    source.shuffle(items)
    drawn += [items, source.getstate()]

rng = random.Random(4)
rng.random()
drawn += [pickle.dumps(rng), isinstance(rng, random.Random), type(rng), vars(rng)]
drawn += [each.random() for each in (rng, copy.deepcopy(rng), pickle.loads(pickle.dumps(rng)))]
for wrong in ([], {1}, 3):
    try:
        random.choice(wrong)
    except (IndexError, TypeError, KeyError) as error:
        drawn.append(str(error))
