/* Scans of 64 rows a vector, with masks in registers of their own. */
#if defined(__x86_64__)
#define USE_AVX512
#include "simd.h"

#include "batch_scan.h"

enum { LANES = 64, IN_FLIGHT = 4 };

typedef __m512i vector;
typedef __mmask64 mask;

#define SPLAT _mm512_set1_epi8
#define SPLAT_16 _mm512_set1_epi16
#define SCAN scan_avx512
#define STORE_16 STORE

INLINE mask ABOVE_8(vector cut, const int8_t *rank) {
    return _mm512_cmpgt_epi8_mask(cut, _mm512_load_si512((const void *)rank));
}

INLINE mask ABOVE_16(vector cut, const int16_t *rank) {
    mask low = _mm512_cmpgt_epi16_mask(cut, _mm512_load_si512((const void *)rank));
    mask high = _mm512_cmpgt_epi16_mask(cut, _mm512_load_si512((const void *)(rank + 32)));
    return high << 32 | low;
}

INLINE vector MOVED(vector leaf, vector first, vector right, mask above) {
    return _mm512_mask_mov_epi8(leaf, _mm512_mask_cmpeq_epi8_mask(above, leaf, first), right);
}

INLINE void STORE(uint8_t *to, vector leaf) { _mm512_store_si512((void *)to, leaf); }

#include "batch_scan.inc.h"

/* A shuffle of two registers looks up 128 bytes of a set, 1024 codes; which of its parts a code is in says the upper
 * bit of its eighth. */
INLINE void outside(const uint8_t *place, const uint8_t *set, uint32_t n_bytes, uint32_t parts, uint32_t n,
                    int8_t *side) {
    (void)parts;
    for (uint32_t at = 0; at < n; at += LANES) {
        vector bit = _mm512_load_si512((const void *)(place + at));
        vector byte = _mm512_load_si512((const void *)(place + BLOCK + at));
        mask inside = 0, upper = _mm512_movepi8_mask(byte);
        for (uint32_t from = 0; from < n_bytes; from += 128) {
            uint32_t left = n_bytes - from;
            mask low = left >= 64 ? ~0ull : (1ull << left) - 1;
            mask high = left >= 128 ? ~0ull : left > 64 ? (1ull << (left - 64)) - 1 : 0;
            vector table = _mm512_maskz_mov_epi8(low, _mm512_loadu_si512((const void *)(set + from)));
            vector more = _mm512_maskz_mov_epi8(high, _mm512_loadu_si512((const void *)(set + from + 64)));
            mask found = _mm512_test_epi8_mask(_mm512_permutex2var_epi8(table, byte, more), bit);
            inside |= found & (from ? upper : ~upper);
        }
        STORE((uint8_t *)side + at, _mm512_movm_epi8(~inside));
    }
}

END_OF_INSTRUCTIONS
#else
typedef int nothing;
#endif
