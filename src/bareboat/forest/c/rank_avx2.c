/* Ranks by 8 comparisons at once: one node of the search tree for one value. */
#if defined(__x86_64__)
#define USE_AVX2
#include "simd.h"

#include "rank_block.h"

/* How many of a node's 8 keys lie below a value. Not a number has none below it. */
INLINE uint32_t below_double(const double *key, __m256d value) {
    __m256d low = _mm256_cmp_pd(_mm256_load_pd(key), value, _CMP_LT_OQ);
    __m256d high = _mm256_cmp_pd(_mm256_load_pd(key + 4), value, _CMP_LT_OQ);
    __m256i both = _mm256_packs_epi32(_mm256_castpd_si256(low), _mm256_castpd_si256(high));
    return (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(both)));
}

INLINE uint32_t below_single(const float *key, __m256 value) {
    __m256 below = _mm256_cmp_ps(_mm256_load_ps(key), value, _CMP_LT_OQ);
    return (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_ps(below));
}

#define RANKS(VALUE, SPLAT, VECTOR, BELOW, N_LEVELS, RANK, FLIP)                                                     \
    for (uint32_t i = 0; i < n; i++) {                                                                               \
        VECTOR one = SPLAT(value[i]);                                                                                \
        uint64_t place = BELOW(top, one);                                                                            \
        UNROLL for (uint32_t j = 1; j < (N_LEVELS); j++) place = 8 * place + BELOW(level[j] + 8 * place, one);       \
        ((RANK *)rank)[i] = (RANK)(place ^ (FLIP));                                                                  \
    }

#define LEVELS(VALUE, SPLAT, VECTOR, BELOW, RANK, FLIP)                                                              \
    switch (search->n_levels) {                                                                                      \
    case 1: RANKS(VALUE, SPLAT, VECTOR, BELOW, 1, RANK, FLIP) break;                                                 \
    case 2: RANKS(VALUE, SPLAT, VECTOR, BELOW, 2, RANK, FLIP) break;                                                 \
    case 3: RANKS(VALUE, SPLAT, VECTOR, BELOW, 3, RANK, FLIP) break;                                                 \
    default: RANKS(VALUE, SPLAT, VECTOR, BELOW, search->n_levels, RANK, FLIP)                                        \
    }

#define SEARCH(NAME, VALUE, SPLAT, VECTOR, BELOW)                                                                    \
    void NAME(const struct batch *batch, const struct search *search, const void *values, uint32_t n, void *rank) {  \
        const VALUE *top = (const VALUE *)batch->keys + search->first, *value = values, *level[MAX_LEVELS];          \
        for (uint32_t j = 0; j < search->n_levels; j++) level[j] = top + search->level[j];                           \
        if (batch->rank_size == 1) {                                                                                 \
            LEVELS(VALUE, SPLAT, VECTOR, BELOW, uint8_t, 0x7f)                                                       \
        } else if (batch->rank_size == 2) {                                                                          \
            LEVELS(VALUE, SPLAT, VECTOR, BELOW, uint16_t, 0x7fff)                                                    \
        } else {                                                                                                     \
            LEVELS(VALUE, SPLAT, VECTOR, BELOW, uint32_t, 0x7fffffff)                                                \
        }                                                                                                            \
    }

SEARCH(search_double_avx2, double, _mm256_set1_pd, __m256d, below_double)
SEARCH(search_single_avx2, float, _mm256_set1_ps, __m256, below_single)

END_OF_INSTRUCTIONS
#else
typedef int nothing;
#endif
