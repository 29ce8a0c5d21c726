/* Scans of 32 rows a vector. */
#if defined(__x86_64__)
#define USE_AVX2
#include "simd.h"

#include "batch_scan.h"

enum { LANES = 32, IN_FLIGHT = 8 };

typedef __m256i vector;
typedef __m256i mask;

#define SPLAT _mm256_set1_epi8
#define SPLAT_16 _mm256_set1_epi16
#define SCAN scan_avx2

INLINE mask ABOVE_8(vector cut, const int8_t *rank) {
    return _mm256_cmpgt_epi8(cut, _mm256_load_si256((const void *)rank));
}

/* Packing takes turns between the halves of both: rows 0-7, 16-23, 8-15, 24-31. */
INLINE mask ABOVE_16(vector cut, const int16_t *rank) {
    return _mm256_packs_epi16(_mm256_cmpgt_epi16(cut, _mm256_load_si256((const void *)rank)),
                              _mm256_cmpgt_epi16(cut, _mm256_load_si256((const void *)(rank + 16))));
}

INLINE vector MOVED(vector leaf, vector first, vector right, mask above) {
    return _mm256_blendv_epi8(leaf, right, _mm256_and_si256(above, _mm256_cmpeq_epi8(leaf, first)));
}

INLINE void STORE(uint8_t *to, vector leaf) { _mm256_store_si256((void *)to, leaf); }
INLINE void STORE_16(uint8_t *to, vector leaf) { STORE(to, _mm256_permute4x64_epi64(leaf, 0xd8)); }

#include "batch_scan.inc.h"

/* A shuffle's place of 128 gives 0. V vectors at once, so that a table is loaded once for them. */
INLINE void outside_rows(const uint8_t *place, const uint8_t *set, uint32_t parts, int8_t *side, const int V) {
    vector found[IN_FLIGHT];
    UNROLL for (int v = 0; v < V; v++) found[v] = SPLAT(0);
    for (uint32_t left = parts; left; left &= left - 1) {
        uint32_t part = (uint32_t)__builtin_ctz(left);
        const vector *here = (const void *)(place + (part + 1) * BLOCK);
        vector table = _mm256_broadcastsi128_si256(_mm_load_si128((const void *)(set + 16 * part)));
        UNROLL for (int v = 0; v < V; v++) found[v] = _mm256_or_si256(found[v], _mm256_shuffle_epi8(table, here[v]));
    }
    UNROLL for (int v = 0; v < V; v++) {
        vector bit = _mm256_load_si256((const void *)(place + v * LANES));
        STORE((uint8_t *)side + v * LANES, _mm256_cmpeq_epi8(_mm256_and_si256(found[v], bit), SPLAT(0)));
    }
}

INLINE void outside(const uint8_t *place, const uint8_t *set, uint32_t n_bytes, uint32_t parts, uint32_t n,
                    int8_t *side) {
    (void)n_bytes;
    if (n > LANES)
        outside_rows(place, set, parts, side, IN_FLIGHT);
    else
        outside_rows(place, set, parts, side, 1);
}

END_OF_INSTRUCTIONS
#else
typedef int nothing;
#endif
