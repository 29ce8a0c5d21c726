/* The intrinsics of AVX2 and AVX-512 in portable C, by SIMDe, and the few that its version 0.7.4 lacks. Given to the
 * compiler with -include, together with -DBAREBOAT_EMULATED. */
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <stdint.h>

typedef uint64_t __mmask64;
#define _mm512_cmpgt_epi16_mask(a, b) ((uint32_t) ~_mm512_cmple_epi16_mask(a, b))
#define _mm_cmpgt_epi8_mask(a, b) ((uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(a, b)))
#define _mm_cmpeq_epi8_mask(a, b) ((uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)))
static inline uint32_t emulated_testn(__m256i a, __m256i b) {
    __m256i none = _mm256_cmpeq_epi16(_mm256_and_si256(a, b), _mm256_setzero_si256());
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(none), _mm256_extracti128_si256(none, 1));
    return (uint32_t)_mm_movemask_epi8(bytes);
}
#define _mm256_testn_epi16_mask(a, b) emulated_testn(a, b)
