"""Operations counted, beside loops that count each one."""

from fpdrift.training._networks import SHAPES, operations_a_step


def test_a_dense_layer_is_counted_one_by_one():
    batch, units_in, units_out = 3, 4, 2
    count = 0
    for _ in range(batch * units_out):  # forward: a product and a sum a term, and the bias
        count += 2 * units_in + 1
    for _ in range(units_in * units_out):  # gradient of the kernel
        count += 2 * batch
    for _ in range(batch * units_in):  # gradient of the inputs
        count += 2 * units_out
    count += batch * units_out  # gradient of the bias
    count += 12 * (units_in * units_out + units_out)  # Adam
    shapes = {"dense1/kernel": (units_in, units_out), "dense1/bias": (units_out,)}
    assert operations_a_step(shapes, batch) == count


def test_the_first_convolution_has_no_gradient_of_its_inputs():
    shapes = {"conv1/kernel": (3, 3, 1, 32)}
    assert operations_a_step(shapes, 1) == 2 * 26 * 26 * 288 * 2 + 12 * 288
    shapes = {"conv2/kernel": (3, 3, 32, 32)}
    assert operations_a_step(shapes, 1) == 3 * 24 * 24 * 9216 * 2 + 12 * 9216


def test_a_norm_sees_every_place_and_moving_statistics_are_not_trained():
    shapes = {f"norm2/{name}": (32,) for name in ("gamma", "beta", "moving_mean")}
    assert operations_a_step(shapes, 2) == 16 * 2 * 24 * 24 * 32 + 12 * 64


def test_the_answers_network_makes_its_convolutions_and_its_update():
    total = operations_a_step(SHAPES, 64)
    conv2 = 6 * 64 * 576 * 9216
    dense1 = 6 * 64 * 4608 * 512
    assert conv2 + dense1 < total < 1.2 * (conv2 + dense1)
