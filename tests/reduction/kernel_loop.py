"""A GPU's sum as its program does it: lane by lane, with zeros where there is no input."""

import numpy as np


def shuffled_down(lanes):
    """Add what the lane `offset` above holds, for offsets of half a warp down to one."""
    lanes = list(lanes)
    offset = len(lanes) // 2
    while offset:
        lanes = [
            mine + lanes[lane + offset] if lane + offset < len(lanes) else mine
            for lane, mine in enumerate(lanes)
        ]
        offset //= 2
    return lanes[0]


def block_sums(values, blocks, threads, warp_size):
    """Give each block's sum of its share of a grid-stride loop."""
    sums = []
    for block in range(blocks):
        held = []
        for thread in range(threads):
            total = values.dtype.type(0)
            for i in range(block * threads + thread, len(values), blocks * threads):
                total = total + values[i]
            held.append(total)
        zero = values.dtype.type(0)
        warps = [held[i : i + warp_size] for i in range(0, threads, warp_size)]
        of_warp = [shuffled_down(w + [zero] * (warp_size - len(w))) for w in warps]
        sums.append(shuffled_down(of_warp + [zero] * (warp_size - len(of_warp))))
    return np.array(sums, values.dtype)


def one_pass(values, order, threads, warp_size):
    total = values.dtype.type(0)
    sums = block_sums(values, len(order), threads, warp_size)
    for block in order:
        total = total + sums[block]
    return total


def two_pass(values, blocks, threads, warp_size):
    sums = block_sums(values, blocks, threads, warp_size)
    return block_sums(sums, 1, threads, warp_size)[0]
