from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2

from bareboat.errors import InputError
from bareboat.forest.sampling import sample_mask


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 0), (1, 1), (7, 3), (70_000, 1), (70_000, 69_999), (200_001, 77_777)])
@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_exactly_k_of_n_are_chosen(n, k, seed):
    mask = sample_mask(n, k, seed)

    assert (mask.dtype, mask.shape, int(mask.sum())) == (np.dtype(bool), (n,), k)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 2), (6, 3), (8, 7)])
def test_every_subset_is_equally_likely(n, k):
    subsets = list(combinations(range(n), k))
    draws = 400 * len(subsets)

    counts = Counter(tuple(np.flatnonzero(sample_mask(n, k, seed)).tolist()) for seed in range(draws))

    statistic = sum((counts[subset] - 400) ** 2 / 400 for subset in subsets)
    assert set(counts) <= set(subsets)
    assert chi2.sf(statistic, len(subsets) - 1) > 1e-4


def test_subsets_are_equally_likely_where_keys_are_shared(monkeypatch):
    """With keys of one bit almost every key is shared, so that the choice among the shared ones decides."""
    real = np.random.default_rng

    class OneBit:
        def __init__(self, seed):
            self.random = real(seed)

        def integers(self, low, high, n, dtype):
            return self.random.integers(0, 2, n, dtype)

    monkeypatch.setattr(np.random, "default_rng", OneBit)
    subsets = list(combinations(range(6), 2))

    counts = Counter(tuple(np.flatnonzero(sample_mask(6, 2, seed)).tolist()) for seed in range(6000))

    statistic = sum((counts[subset] - 400) ** 2 / 400 for subset in subsets)
    assert chi2.sf(statistic, len(subsets) - 1) > 1e-4


def test_in_a_large_population_each_place_and_each_gap_is_as_selection_sampling_has_it():
    n, k = 300_000, 100_000

    chosen = np.flatnonzero(sample_mask(n, k, 5))

    share, _ = np.histogram(chosen, bins=30, range=(0, n))
    spread = k / 30 * (1 - 1 / 30) * (1 - k / n)  # hypergeometric
    assert chi2.sf(float(((share - k / 30) ** 2 / spread * (29 / 30)).sum()), 29) > 1e-4
    gaps = np.bincount(np.diff(chosen) - 1)[:8]
    expected = k * (k / n) * (1 - k / n) ** np.arange(8)  # geometric, as n is large
    assert chi2.sf(float(((gaps - expected) ** 2 / expected).sum()), 7) > 1e-4


def test_the_same_seed_gives_the_same_mask_and_another_one_another():
    assert np.array_equal(sample_mask(1000, 500, 3), sample_mask(1000, 500, 3))
    assert not np.array_equal(sample_mask(1000, 500, 3), sample_mask(1000, 500, 4))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((-1, 0, 0), "n is -1"),
        ((3, 4, 0), "k is 4"),
        ((3, -1, 0), "k is -1"),
        ((3, 1, -5), "seed is -5"),
        ((3, 1.5, 0), "k is 1.5"),
    ],
)
def test_a_number_out_of_range_is_told(arguments, found):
    with pytest.raises(InputError) as error:
        sample_mask(*arguments)

    assert error.value.problems[0].found == found
    assert error.value.problems[0].expected
