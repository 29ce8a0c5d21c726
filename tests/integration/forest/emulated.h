/* The intrinsics of AVX2 and AVX-512 in portable C, by SIMDe, and the few that its version 0.7.4 lacks. Given to the
 * compiler with -include, together with -DBAREBOAT_EMULATED. */
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <stdint.h>

typedef uint64_t __mmask64;
#define _mm512_cmpgt_epi16_mask(a, b) ((uint32_t) ~_mm512_cmple_epi16_mask(a, b))
