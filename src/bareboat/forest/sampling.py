"""n and k -> a mask of exactly k of n, each subset equally likely."""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError

_BLOCK = 1 << 20  # keys that are counted or compared at a time: 2 MB, which a cache holds


def sample_mask(n: int, k: int, seed: int) -> NDArray[np.bool_]:
    """Choose k of n: the same mask for the same arguments, and each subset of size k as likely as any other.

    What scikit-learn's `_random_sample_mask` does number by number is done here for all numbers at once. Each of the n
    gets a random key of 16 bits; those with the smallest keys are taken, and where a key is shared by more than are
    still wanted, `sample_mask` chooses among them in the same way.

    Why this is uniform, and not only nearly so: the keys are independent and equally distributed, so exchanging two of
    the n leaves the law of the mask as it is. The chance of a subset can then depend on its size alone, which is always
    k, hence all subsets have the same chance. Shared keys do no harm, since the choice among them treats them alike;
    no number is compared with a rounded fraction, as selection sampling in floating point does.

    Args:
        n: how many there are; 10^8 take about two seconds and 4 bytes each.
        k: how many of them to choose, 0 <= k <= n.
        seed: a whole number, at least 0.
    Returns:
        (n,) bool, with k times True.
    Raises:
        InputError: n, k or seed is out of its range.
    Source:
        Selection sampling: Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S; scikit-learn,
        sklearn/ensemble/_gradient_boosting.pyx.
    """
    n, k, seed = _whole("n", n), _whole("k", k), _whole("seed", seed)
    if n < 0:
        raise InputError(f"n is {n}", expected="a whole number, at least 0")
    if not 0 <= k <= n:
        raise InputError(f"k is {k}", expected=f"a whole number from 0 to n, which is {n}")
    if seed < 0:
        raise InputError(f"seed is {seed}", expected="a whole number, at least 0")
    return _chosen(n, k, np.random.default_rng(seed))


def _chosen(n: int, k: int, random: np.random.Generator) -> NDArray[np.bool_]:
    if k in {0, n}:
        return np.full(n, k > 0)
    keys = random.integers(0, 1 << 16, n, np.uint16)
    below = np.zeros((1 << 16) + 1, np.int64)
    for start in range(0, n, _BLOCK):
        below[1:] += np.bincount(keys[start : start + _BLOCK], minlength=1 << 16)
    np.cumsum(below, out=below)
    last = int(np.searchsorted(below, k, side="left")) - 1  # the smallest key that not all may be needed of
    mask = keys < np.uint16(last)
    shared = np.flatnonzero(keys == np.uint16(last))
    mask[shared[_chosen(len(shared), k - int(below[last]), random)]] = True
    return mask


def _whole(name: str, value: int) -> int:
    try:
        return index(value)
    except TypeError:
        raise InputError(f"{name} is {value!r}", expected="a whole number") from None
