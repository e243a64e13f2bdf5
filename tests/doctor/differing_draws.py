"""Small scripts whose two runs draw differently, each with the first draw that does.

In each, the comment ``# here`` marks the line of that draw. The two runs differ in the environment
variable RUN ("1", "2"), in PYTHONHASHSEED and in the clock, and in nothing else; `run` is RUN.
"""

from textwrap import dedent

#: The beginning of every script, on its first line.
RUN = "import os; run = int(os.environ['RUN'])\n"

#: Name -> script, kind of the difference, generator, call.
QUICK = {
    "python_unseeded": (
        """
        import random
        random.random()  # here
        """,
        "other values",
        "python",
        "random.random",
    ),
    "python_shuffle": (
        """
        import random
        x = list(range(9))
        random.shuffle(x)  # here
        """,
        "other values",
        "python",
        "random.shuffle",
    ),
    "python_choice": (
        """
        import random
        x = range(10**9)
        random.choice(x)  # here
        """,
        "other values",
        "python",
        "random.choice",
    ),
    "python_sample_in_a_function": (
        """
        import random
        def split(x):
            return random.sample(x, 3)  # here
        split(range(99))
        """,
        "other values",
        "python",
        "random.sample",
    ),
    "python_seeded_too_late": (
        """
        import random
        x = random.getrandbits(64)  # here
        random.seed(1)
        random.random()
        """,
        "other values",
        "python",
        "random.getrandbits",
    ),
    "python_seeded_again_without_a_seed": (
        """
        import random
        random.seed(1)
        random.random()
        random.seed()
        random.gauss(0, 1)  # here
        """,
        "other values",
        "python",
        "random.gauss",
    ),
    "python_instance": (
        """
        import random
        random.seed(1)
        own = random.Random()
        own.uniform(0, 1)  # here
        """,
        "other values",
        "python",
        "Random.uniform",
    ),
    "python_third_draw": (
        """
        import random
        random.seed(1)
        for i in range(4):
            if i == 2: random.seed(run)  # here
            random.random()
        """,
        "other seed",
        "python",
        "random.seed",
    ),
    "seed_of_the_clock": (
        """
        import random, time
        random.seed(time.time_ns())  # here
        random.random()
        """,
        "other seed",
        "python",
        "random.seed",
    ),
    "seed_of_a_hash": (
        """
        import random
        random.seed(hash('fpdrift'))  # here
        random.random()
        """,
        "other seed",
        "python",
        "random.seed",
    ),
    "state_set": (
        """
        import random
        state = random.Random(run).getstate()  # here
        random.setstate(state)
        """,
        "other seed",
        "python",
        "random.Random",
    ),
    "system_random": (
        """
        import random
        random.seed(1)
        random.SystemRandom().random()  # here
        """,
        "other values",
        "entropy",
        "SystemRandom.random",
    ),
    "urandom": (
        """
        import os
        os.urandom(8)  # here
        """,
        "other values",
        "entropy",
        "os.urandom",
    ),
    "uuid": (
        """
        import uuid
        uuid.uuid4()  # here
        """,
        "other values",
        "entropy",
        "uuid.uuid4",
    ),
    "secrets": (
        """
        import secrets
        secrets.token_hex(8)  # here
        """,
        "other values",
        "entropy",
        "secrets.token_hex",
    ),
    "one_draw_more": (
        """
        import random
        random.seed(1)
        random.random()
        if run == 2:
            random.random()  # here
        random.random()
        random.gauss(0, 1)
        """,
        "one more",
        "python",
        "random.random",
    ),
    "one_draw_more_in_a_loop": (
        """
        import random
        random.seed(1)
        for _ in range(5 + run):
            random.random()  # here
        """,
        "one more",
        "python",
        "random.random",
    ),
    "one_generator_more": (
        """
        import random
        random.seed(1)
        if run == 1:
            random.Random(3).random()  # here
        random.random()
        """,
        "one more",
        "python",
        "random.Random",
    ),
    "another_order": (
        """
        import random
        random.seed(1)
        def a():
            random.random()  # here
        def b():
            random.gauss(0, 1)
        for f in ((a, b), (b, a))[run - 1]: f()
        random.betavariate(1, 1)
        """,
        "other order",
        "python",
        "random.random",
    ),
    "another_place": (
        """
        import random
        random.seed(1)
        if run == 1:
            random.random()  # here
        else:
            random.random()
        random.gauss(0, 1)
        """,
        "other place",
        "python",
        "random.random",
    ),
    "another_call": (
        """
        import random
        random.seed(1)
        if run == 1:
            random.random()  # here
        else:
            random.getrandbits(9)
        random.gauss(0, 1)
        random.random()
        """,
        "other order",
        "python",
        "random.random",
    ),
}
NUMPY = {
    "numpy_unseeded": (
        """
        import numpy as np
        np.random.rand(3)  # here
        """,
        "other values",
        "numpy",
        "np.random.rand",
    ),
    "numpy_only_python_is_seeded": (
        """
        import random, numpy as np
        random.seed(1)
        random.random()
        np.random.permutation(9)  # here
        """,
        "other values",
        "numpy",
        "np.random.permutation",
    ),
    "numpy_shuffle_of_data": (
        """
        import numpy as np
        x = np.arange(9.0)
        np.random.shuffle(x)  # here
        """,
        "other values",
        "numpy",
        "np.random.shuffle",
    ),
    "numpy_imported_name": (
        """
        from numpy.random import randint
        randint(10**9)  # here
        """,
        "other values",
        "numpy",
        "np.random.randint",
    ),
    "numpy_default_rng": (
        """
        import numpy as np
        np.random.seed(1)
        rng = np.random.default_rng()
        rng.normal()  # here
        """,
        "other values",
        "numpy generator",
        "Generator.normal",
    ),
    "numpy_random_state": (
        """
        import numpy as np
        np.random.seed(1)
        rng = np.random.RandomState()
        rng.rand()  # here
        """,
        "other values",
        "numpy",
        "RandomState.rand",
    ),
    "numpy_bit_generator": (
        """
        import numpy as np
        bits = np.random.PCG64()  # here
        np.random.Generator(bits).random()
        """,
        "other values",
        "entropy",
        "secrets.randbits",
    ),
    "numpy_spawned": (
        """
        import numpy as np
        a, b = np.random.default_rng(1).spawn(2)
        (a, b)[run - 1].random()  # here
        """,
        "other values",
        "numpy generator",
        "Generator.random",
    ),
    "numpy_seed_of_the_process": (
        """
        import os, numpy as np
        np.random.seed(os.getpid())  # here
        np.random.rand()
        """,
        "other seed",
        "numpy",
        "np.random.seed",
    ),
    "numpy_default_rng_of_a_hash": (
        """
        import numpy as np
        rng = np.random.default_rng(abs(hash('a')))  # here
        rng.random()
        """,
        "other seed",
        "numpy generator",
        "np.random.default_rng",
    ),
    "numpy_order_of_a_set": (
        """
        import numpy as np
        np.random.seed(1)
        def a(): np.random.rand()  # here
        def b(): np.random.rand(2)
        [f() for f in ((a, b), (b, a))[run - 1]]
        """,
        "other order",
        "numpy",
        "np.random.rand",
    ),
    "numpy_draw_in_a_branch": (
        """
        import numpy as np
        np.random.seed(1)
        for i in range(6):
            if i == 3 and run == 1: np.random.normal()  # here
            np.random.rand()
        """,
        "one more",
        "numpy",
        "np.random.normal",
    ),
    "numpy_fourth_draw": (
        """
        import numpy as np
        rng = np.random.default_rng(1)
        other = np.random.default_rng(2)
        for i in range(6):
            if i == 3 and run == 2: rng.bit_generator.advance(1)
            rng.random()  # here
        """,
        "other values",
        "numpy generator",
        "Generator.random",
    ),
}
LIBRARIES = {
    "sklearn_split": (
        """
        from sklearn.model_selection import train_test_split
        train_test_split(range(99))  # here
        """,
        "other values",
        "numpy",
        "np.random.permutation",
    ),
    "sklearn_shuffle": (
        """
        from sklearn.utils import shuffle
        shuffle([*range(99)])  # here
        """,
        "other values",
        "numpy",
        "np.random.shuffle",
    ),
    "sklearn_forest": (
        """
        import numpy as np
        from sklearn.ensemble import RandomForestClassifier
        x = np.arange(40.0).reshape(20, 2)
        RandomForestClassifier(2).fit(x, np.arange(20) % 2)  # here
        """,
        "other values",
        "numpy",
        "np.random.randint",
    ),
    "pandas_sample": (
        """
        import pandas as pd
        pd.DataFrame({'a': range(99)}).sample(9)  # here
        """,
        "other values",
        "numpy",
        "np.random.choice",
    ),
}
TENSORFLOW = {
    "tf_unseeded": (
        """
        import tensorflow as tf
        tf.random.normal([3])  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.normal",
    ),
    "tf_shuffle": (
        """
        import tensorflow as tf
        tf.random.shuffle(tf.range(99))  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.shuffle",
    ),
    "tf_generator": (
        """
        import tensorflow as tf
        own = tf.random.Generator.from_non_deterministic_state()
        own.uniform([3])  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.Generator.uniform",
    ),
    "tf_data": (
        """
        import tensorflow as tf
        tf.data.Dataset.range(9).shuffle(9)  # here
        """,
        "other seed",
        "tensorflow",
        "tf.data.Dataset.shuffle",
    ),
    "tf_in_a_graph": (
        """
        import tensorflow as tf
        @tf.function
        def f():
            return tf.random.uniform([2])
        f()  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.uniform",
    ),
    "tf_image": (
        """
        import tensorflow as tf
        tf.image.random_flip_left_right(tf.zeros((2, 2, 1)))  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.uniform",
    ),
    "keras_unseeded": (
        """
        import keras
        keras.random.uniform((3,))  # here
        """,
        "other values",
        "keras",
        "keras.random.uniform",
    ),
    "keras_seed_generator": (
        """
        import keras
        own = keras.random.SeedGenerator()  # here
        own.next()
        """,
        "other values",
        "python",
        "random.randint",
    ),
    "keras_layer": (
        """
        import keras
        model = keras.Sequential([
            keras.layers.Flatten(),
            keras.layers.Dense(3),  # here
        ])
        """,
        "other values",
        "python",
        "random.randint",
    ),
    "keras_dropout": (
        """
        import keras
        keras.layers.Dropout(0.5)  # here
        """,
        "other values",
        "python",
        "random.randint",
    ),
    "keras_fit": (
        """
        import random
        random.seed(1)
        import keras, numpy as np
        x = np.zeros((8, 2), 'float32')
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile('sgd', 'mse')
        model.fit(x, x[:, :1], verbose=0)  # here
        """,
        "other values",
        "tensorflow",
        "tf.random.shuffle",
    ),
    "keras_seed": (
        """
        import keras
        keras.utils.set_random_seed(run)  # here
        keras.random.normal((2,))
        """,
        "other seed",
        "keras",
        "keras.utils.set_random_seed",
    ),
    "tf_seed": (
        """
        import tensorflow as tf
        tf.random.set_seed(run)  # here
        tf.random.normal([2])
        """,
        "other seed",
        "tensorflow",
        "tf.random.set_seed",
    ),
    "keras_layer_more": (
        """
        import keras
        keras.utils.set_random_seed(1)
        if run == 2:
            keras.layers.Dense(2)  # here
        keras.layers.Dense(3)
        """,
        "one more",
        "python",
        "random.randint",
    ),
}

#: Name -> script whose two runs draw the same.
SAME = {
    "python": """
        import random
        random.seed(1)
        x = [*range(9)]
        random.shuffle(x)
        random.choice(x)
        """,
    "python_instance": """
        import random
        own = random.Random(1)
        [own.random() for _ in range(2000)]
        """,
    "temporary_file": """
        import tempfile
        tempfile.TemporaryDirectory().cleanup()
        """,
    "data_of_another_order": """
        import random
        random.seed(1)
        names = list({'a', 'b', 'c', 'd', 'e', 'f'})
        random.shuffle(names)
        random.choice(names)
        """,
    "numpy": """
        import numpy as np
        np.random.seed(1)
        np.random.rand(9)
        np.random.shuffle([1, 2])
        """,
    "numpy_generator": """
        import numpy as np
        rng = np.random.default_rng(1)
        rng.normal(size=99)
        """,
    "numpy_sequence": """
        import numpy as np
        for s in np.random.SeedSequence(1).spawn(3):
            np.random.default_rng(s).random()
        """,
    "numpy_bits": """
        import numpy as np
        np.random.Generator(np.random.Philox(1)).integers(9)
        """,
    "unseeded_but_unused": """
        import numpy as np
        rng = np.random.default_rng()
        """,
}
SAME_LIBRARIES = {
    "sklearn": """
        from sklearn.model_selection import train_test_split as t
        t(range(99), random_state=1)
        """,
    "pandas": """
        import pandas as pd
        pd.Series(range(9)).sample(3, random_state=1)
        """,
}
SAME_TENSORFLOW = {
    "tf": """
        import tensorflow as tf
        tf.random.set_seed(1)
        tf.random.normal([2])
        [*tf.data.Dataset.range(9).shuffle(9)]
        """,
    "tf_generator": """
        import tensorflow as tf
        tf.random.Generator.from_seed(1).normal([2])
        """,
    "keras": """
        import keras
        import numpy as np
        keras.utils.set_random_seed(1)
        x = np.random.rand(32, 4)
        layers = [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile("adam", "mse")
        model.fit(x, x[:, 0], verbose=0)
        model(x, training=True)
        keras.random.normal((2,))
        """,
    "keras_stateless": """
        import keras
        keras.random.normal((2,), seed=3)
        """,
}


def write(folder, scripts):
    """Write scripts into a folder; give their paths in the same order."""
    paths = []
    for name, script in scripts.items():
        paths.append(folder / f"{name}.py")
        paths[-1].write_text(text_of(script))
    return paths


def text_of(script):
    """Give the whole text of a script of one of the tables above."""
    return RUN + dedent(script if isinstance(script, str) else script[0]).strip() + "\n"
