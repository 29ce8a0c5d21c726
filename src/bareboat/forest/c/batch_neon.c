/* Scans of 16 rows a vector. */
#if defined(__aarch64__)
#include "simd.h"

#include "batch_scan.h"

enum { LANES = 16, IN_FLIGHT = 8 };

typedef uint8x16_t vector;
typedef uint8x16_t mask;

#define SPLAT(byte) vdupq_n_u8((uint8_t)(byte))
#define SPLAT_16(cut) vreinterpretq_u8_s16(vdupq_n_s16(cut))
#define SCAN scan_neon
#define STORE_16 STORE

INLINE mask ABOVE_8(vector cut, const int8_t *rank) { return vcgtq_s8(vreinterpretq_s8_u8(cut), vld1q_s8(rank)); }

INLINE mask ABOVE_16(vector cut, const int16_t *rank) {
    int16x8_t wide = vreinterpretq_s16_u8(cut);
    return vuzp1q_u8(vreinterpretq_u8_u16(vcgtq_s16(wide, vld1q_s16(rank))),
                     vreinterpretq_u8_u16(vcgtq_s16(wide, vld1q_s16(rank + 8))));
}

INLINE vector MOVED(vector leaf, vector first, vector right, mask above) {
    return vbslq_u8(vandq_u8(above, vceqq_u8(leaf, first)), right, leaf);
}

INLINE void STORE(uint8_t *to, vector leaf) { vst1q_u8(to, leaf); }

#include "batch_scan.inc.h"

/* A shuffle's place of 128 gives 0. */
INLINE void outside(const uint8_t *place, const uint8_t *set, uint32_t n_bytes, uint32_t parts, uint32_t n,
                    int8_t *side) {
    (void)n_bytes;
    for (uint32_t at = 0; at < n; at += LANES) {
        vector found = SPLAT(0);
        for (uint32_t left = parts; left; left &= left - 1) {
            uint32_t part = (uint32_t)__builtin_ctz(left);
            vector table = vld1q_u8(set + 16 * part);
            found = vorrq_u8(found, vqtbl1q_u8(table, vld1q_u8(place + (part + 1) * BLOCK + at)));
        }
        STORE((uint8_t *)side + at, vmvnq_u8(vtstq_u8(found, vld1q_u8(place + at))));
    }
}
#else
typedef int nothing;
#endif
