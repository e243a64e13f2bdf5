"""What the rules know of names and order, and what they must not report."""

import pytest

from fpdrift.lint import lint


@pytest.fixture
def codes(tmp_path):
    """Return the codes that are found in a text."""

    def found(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        report = lint([path])
        assert report.errors == ()
        return [finding.code for finding in report.findings]

    return found


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nx = np.random.rand(3)\n",
        "from numpy import random\nx = random.rand(3)\n",
        "from numpy.random import rand as r\nx = r(3)\n",
        "import numpy\ndraw = numpy.random.rand\nx = draw(3)\n",
        "import numpy as np\ndef f():\n    return np.random.rand(3)\nf()\n",
        "import numpy as np\nclass A:\n    def __init__(self):\n        np.random.rand()\nA()\n",
        "import numpy as np\nx = list(map(lambda i: np.random.rand(), range(3)))\n",
        "import numpy as np\ndef main():\n    x = [np.random.rand() for _ in range(3)]\n"
        "if __name__ == '__main__':\n    main()\n",
    ],
)
def test_a_name_is_followed(codes, text):
    assert codes(text) == ["FPD004"]


@pytest.mark.parametrize(
    "text",
    [
        # Another thing of that name.
        "class np:\n    class random:\n        rand = staticmethod(len)\nx = np.random.rand('')\n",
        "import numpy as np\ndef f(np):\n    return np.random.rand(3)\nf(1)\n",
        "from mine import random\nx = random.random()\n",
        # Seeded by what this file does not hold, or by a function of its own.
        "import numpy as np\nfrom utils import set_seed\nset_seed(0)\nx = np.random.rand(3)\n",
        "import numpy as np\ndef fix(s):\n    np.random.seed(s)\nfix(1)\nx = np.random.rand(3)\n",
        # A library, and a file of tests.
        "import numpy as np\ndef augment(x):\n    return x + np.random.rand()\n",
        "import numpy as np\nimport pytest\nX = np.random.rand()\n",
        # A default that the caller can replace.
        "import numpy as np\ndef f(rng=None):\n    rng = rng or np.random.default_rng()\n",
        "import numpy as np\ndef f(seed=None):\n    return np.random.default_rng(seed)\n",
        # An order that plays no part.
        "import os\nn = len(os.listdir('.'))\n",
        "import os\nnames = os.listdir('.')\nnames.sort()\nprint(names)\n",
        "import os\nif 'a' in os.listdir('.'):\n    print(1)\n",
        "from pathlib import Path\nfor p in Path('.').glob('*.tmp'):\n    p.unlink()\n",
        "from pathlib import Path\nd = {p.stem: p for p in Path('.').glob('*')}\n",
        "from pathlib import Path\n(p,) = Path('.').glob('*.whl')\nprint(p)\n",
        "import glob\nfiles = glob.glob('*')\nprint(sorted(files)[0])\n",
        "s = set('abc')\nprint(sorted(s), len(s))\n",
        "for i in set([1, 2]):\n    print(i)\n",
        "x = [0]\nfor i in {n * 2 for n in range(3)}:\n    x.append(i)\n",
        "class A:\n    def __hash__(self):\n        return hash('a')\n",
        # Waiting is not training.
        "import time\nn = 0\nwhile time.time() < 5:\n    time.sleep(1)\n    n += len('')\n",
        # Results are kept by their task.
        "from concurrent.futures import as_completed\nd = {}\n"
        "def f(futures):\n    for f in as_completed(futures):\n        d[f] = f.result()\n",
        # Classes, not scores.
        "import keras, numpy as np\nm = keras.models.load_model('a')\n"
        "print((np.argmax(m.predict(1), 1) == 3).mean(), m.predict(2) > 0.5)\n",
        # The training mode belongs to a step.
        "import keras, tensorflow as tf\nm = keras.models.load_model('a')\n"
        "with tf.GradientTape() as tape:\n    y = m(1, training=True)\n",
        # Other programs' variables.
        "import os\nos.environ['MY_HOME_PAGE'] = '1'\nos.environ['CUDA_HOME'] = '2'\n",
        # A seed of a parallel run.
        "import random, time\nseed = int(time.time())\nprint(seed)\nrandom.seed(seed)\n",
        "import tensorflow as tf\ntf.random.set_seed(1)\ntf.data.Dataset.range(3).shuffle(3)\n",
    ],
)
def test_nothing_is_reported_that_is_not_so(codes, text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nfor f in os.listdir('.'):\n    x.append(f)\n", ["FPD203"]),
        ("import os\nx = 0.0\nfor f in os.scandir('.'):\n    x += g(f)\n", ["FPD203"]),
        ("import os\nfor i, f in enumerate(os.listdir('.')):\n    x[i] = f\n", ["FPD203"]),
        ("text = open('a').read()\nchars = list(set(text))\nprint(chars)\n", ["FPD201"]),
        ("c = {w: i for i, w in enumerate(set('a b'.split()))}\n", ["FPD201"]),
        ("import os\nos.environ.update(TF_DETERMINSTIC_OPS='1')\n", ["FPD302"]),
        ("import os\nos.environ.update({'PYTHONHASHSEDE': '1'})\n", ["FPD302"]),
        ("from os import environ\nimport os\nenviron['PYTHONHASHSEED'] = '0'\n", ["FPD301"]),
        ("import os\nimport numpy\nos.environ['OMP_NUM_THREADS'] = '1'\n", ["FPD303"]),
        ("import numpy as np\nnp.random.seed(None)\n", ["FPD007"]),
        (
            "from multiprocessing import Pool\nwith Pool(2) as p:\n"
            "    print(sum(p.imap_unordered(float, '12')))\n",
            ["FPD204"],
        ),
        ("import random, uuid\nrandom.seed(uuid.uuid4().int)\n", ["FPD006"]),
    ],
)
def test_other_ways_to_write_it(codes, text, expected):
    assert codes(text) == expected


def test_a_file_that_calls_itself_ends(codes):
    assert codes("def f(x):\n    return g(x)\ndef g(x):\n    return f(lambda: g(x))\nf(1)\n") == []


def test_every_statement_of_python_is_walked(codes):
    text = """
import numpy as np
async def f(x, /, *a, k=1, **kw):
    async with x as y:
        async for z in y:
            await z
    return [i async for i in x]
match 3:
    case [1, *rest] if rest:
        np.random.rand()
    case _:
        pass
try:
    with open("a") as (b, c):
        del b
except* ValueError as error:
    raise
else:
    global g
    g: int = 1
    (h := 2)
    x = y = [*range(3)]
    x[0]: int
    assert f"{x!r:>{h}}"
for a, *b in x:
    pass
else:
    type_ = lambda *, q=1: (yield_ := q)
"""
    assert codes(text) == ["FPD004"]
