"""The pairs of the second blind set that differ by rounding alone."""

import keras
from blind_models import (
    IMAGES,
    SERIES,
    TARGETS,
    TOKENS,
    X,
    Y,
    mlp,
    mse,
    vision,
    weighted,
)
from blind_more_models import (
    ADAM,
    CLASS,
    DEPTH,
    DOUBLED,
    LINE,
    MEMORY,
    PADDED,
    PARTS,
    QKV,
    RING,
    SHUFFLED,
    SIGNS,
    TILES,
    Centred,
    Lerped,
    Tied,
    bag,
    before_norm,
    by_class,
    by_shifts,
    circular,
    clipped_huber,
    composite,
    cosine,
    decayed,
    fourier,
    heads,
    held,
    log_sum,
    looped,
    named,
    own,
    own_l1,
    regular,
    repeated,
    root,
    rounded,
    sampled,
    scanned,
    tiles,
    windows,
)
from keras import layers as kl
from keras import ops
from keras import optimizers as ko

ROUNDING = [
    # A convolution is the product of its windows with the flattened kernel.
    rounded(
        "Conv1D as windows",
        own(lambda x, kernel: ops.conv(x, kernel), LINE, (7, 6)),
        own(windows, LINE, (7, 6)),
        SERIES,
    ),
    # A depthwise convolution is a sum of nine shifted images, here in another order.
    rounded(
        "depthwise by shifts",
        own(lambda x, kernel: ops.depthwise_conv(x, kernel), DEPTH, (10, 10, 3)),
        own(by_shifts, DEPTH, (10, 10, 3)),
        IMAGES,
    ),
    # The two steps of a separable convolution are linear: their kernels multiply.
    rounded(
        "separable as one kernel",
        own(lambda x, deep, point: ops.separable_conv(x, deep, point), PARTS, (10, 10, 3)),
        own(composite, PARTS, (10, 10, 3)),
        IMAGES,
    ),
    # With a stride of the kernel's width the tiles of a transposed convolution do not overlap.
    rounded(
        "transposed as tiles",
        own(lambda x, kernel: ops.conv_transpose(x, kernel, strides=2), TILES, (10, 10, 3)),
        own(tiles, TILES, (10, 10, 3)),
        IMAGES,
    ),
    # The scan and the loop apply the same step in the same order.
    rounded("scan against loop", own(scanned, MEMORY, (7, 6)), own(looped, MEMORY, (7, 6)), SERIES),
    # Two heads at once or one by one; Adam meets the key bias, whose true gradient is zero.
    rounded(
        "heads one by one, Adam",
        own(heads(True), QKV, (7, 6), **ADAM),
        own(heads(False), QKV, (7, 6), **ADAM),
        SERIES,
    ),
    # Zero gradient of a bias before batch normalization: Adam divides rounding by rounding.
    rounded(
        "rows permuted, bias before norm, Adam", before_norm(), before_norm(), batch_b=SHUFFLED
    ),
    # The mean of each 2x2 block, pooled or reshaped.
    rounded(
        "average pooling by reshape",
        vision(lambda: [kl.Conv2D(4, 3, name="conv"), kl.AveragePooling2D(2)]),
        vision(
            lambda: [
                kl.Conv2D(4, 3, name="conv"),
                kl.Lambda(lambda z: ops.mean(ops.reshape(z, (-1, 4, 2, 4, 2, 4)), (2, 4))),
            ]
        ),
        IMAGES,
    ),
    # Each pixel repeated four times and averaged over the four.
    rounded(
        "up and down again",
        sampled(kl.UpSampling2D, kl.AveragePooling2D),
        sampled(),
        IMAGES,
    ),
    # The mean of looked-up rows is the table weighted by the counts.
    rounded("mean embedding by counts", bag(False), bag(True), TOKENS),
    # A Dense layer acts on the last axis already.
    rounded(
        "TimeDistributed Dense",
        repeated(lambda: kl.Dense(5, "relu", name="each")),
        repeated(lambda: kl.TimeDistributed(kl.Dense(5, "relu", name="each"), name="times")),
        SERIES,
    ),
    # The convolution theorem.
    rounded("circular convolution by FFT", weighted(circular, RING), weighted(fourier, RING)),
    # The loss by its two branches, or by the clipped error.
    rounded(
        "Huber by the clipped error",
        mse(loss=lambda: "huber"),
        mse(loss=lambda: clipped_huber),
        TARGETS,
    ),
    # Normalise and multiply, or multiply and divide by the lengths.
    rounded(
        "cosine by lengths",
        mse(loss=lambda: "cosine_similarity"),
        mse(loss=lambda: cosine),
        TARGETS,
    ),
    # The logits are small: no exponential overflows.
    rounded("log-sum-exp unshifted", mlp(), mlp(loss=lambda: log_sum)),
    # A weight for each class, in the loss or row by row.
    rounded(
        "class weights as sample weights",
        mlp(loss=lambda: by_class),
        mlp(),
        batch_b=(X, Y, CLASS[Y].astype("float32")),
    ),
    # v + (1 - r)(g^2 - v) is r v + (1 - r) g^2.
    rounded(
        "RMSprop centred, rewritten",
        named(ko.RMSprop, 1e-3, centered=True),
        named(Centred, 1e-3, centered=True),
    ),
    # The same for Lion, after a past; no sign is near its change.
    rounded("Lion rewritten", named(ko.Lion, 1e-3, warm=True), named(Lerped, 1e-3, warm=True)),
    # AdamW is Adam with a decay.
    rounded(
        "AdamW as Adam",
        named(ko.AdamW, 0.01, weight_decay=0.02),
        named(ko.Adam, 0.01, weight_decay=0.02),
    ),
    # The loss times 100 and the gradients over 100.
    rounded("loss scale of 100", named(ko.SGD, 0.1), named(ko.SGD, 0.1, loss_scale_factor=100.0)),
    # Both divide by norm + epsilon where the norm is over 0.7, and by almost one elsewhere.
    rounded("MaxNorm as a factor", held(lambda: keras.constraints.MaxNorm(0.7)), held(Tied)),
    # |w| is w sign(w).
    rounded("L1 by signs", regular(lambda: keras.regularizers.L1(2**-10)), regular(lambda: own_l1)),
    # Two penalties of the same kernel in one sum.
    rounded(
        "L1L2 in one sum",
        regular(lambda: keras.regularizers.L1L2(2**-10, 2**-9)),
        regular(lambda: decayed),
    ),
    # Each row twice: the same mean.
    rounded("each row twice", mlp(), mlp(), batch_b=DOUBLED),
    # 15 rows without weight; 30 of weight 45/30.
    rounded("padding rows of weight zero", mlp(), mlp(), batch_b=PADDED),
    # Seven of Heron's steps from near the root reach it, and their derivative its own.
    rounded("converged Heron", mlp(lambda z: ops.sqrt(1 + z * z)), mlp(lambda z: root(1 + z * z))),
    # The squared hinge, by hand.
    rounded(
        "squared hinge by hand",
        mse(loss=lambda: "squared_hinge"),
        mse(loss=lambda: lambda t, p: ops.mean(ops.square(ops.relu(1 - p * t)), -1)),
        SIGNS,
    ),
]
