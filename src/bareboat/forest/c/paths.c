/* The CPU -> the path to take; and who makes which table. */
#include "paths.h"

#include "batch_plan.h"
#include "kernel.h"
#include "row_table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

const struct maker MAKERS[N_TABLES] = {[BATCH_TABLE] = {batch_room, batch_build}, [ROW_TABLE] = {row_room, row_build}};

/* The paths that this kernel has code for. */
static const uint32_t WRITTEN =
    1u << BAREBOAT_SCALAR | 1u << BAREBOAT_NEON | 1u << BAREBOAT_AVX2 | 1u << BAREBOAT_AVX512;

#if defined(BAREBOAT_EMULATED)
static uint32_t paths_of_cpu(void) {
    return 1u << BAREBOAT_SCALAR | 1u << BAREBOAT_AVX2 | 1u << BAREBOAT_AVX512;
}
#elif defined(__x86_64__)
/* The register states that the system saves: CPUID alone says nothing of the system.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 14.3 and 15.2. */
static uint32_t paths_of_cpu(void) {
    uint32_t paths = 1u << BAREBOAT_SCALAR, eax, ebx, ecx, edx, low, high;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 27 & 1) || !(ecx >> 28 & 1)) return paths;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return paths;
    if (ebx >> 5 & 1) paths |= 1u << BAREBOAT_AVX2;
    /* F, DQ, BW, VL and VBMI, with the masks' and the upper registers' states */
    if ((low & 0xe6) == 0xe6 && ebx >> 16 & 1 && ebx >> 17 & 1 && ebx >> 30 & 1 && ebx >> 31 && ecx >> 1 & 1)
        paths |= 1u << BAREBOAT_AVX512;
    return paths;
}
#elif defined(__aarch64__)
static uint32_t paths_of_cpu(void) { return 1u << BAREBOAT_SCALAR | 1u << BAREBOAT_NEON; }
#else
static uint32_t paths_of_cpu(void) { return 1u << BAREBOAT_SCALAR; }
#endif

uint32_t path_for(uint32_t wanted) {
    uint32_t paths = paths_of_cpu() & WRITTEN;
    if (wanted > BAREBOAT_AVX512) return 0;
    if (wanted != BAREBOAT_BEST) return paths >> wanted & 1 ? wanted : 0;
    for (uint32_t path = BAREBOAT_AVX512; path > BAREBOAT_SCALAR; path--)
        if (paths >> path & 1) return path;
    return BAREBOAT_SCALAR;
}
