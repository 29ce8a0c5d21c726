/* Instruction sets for the functions of one file, whatever flags the kernel is compiled with. Inside the kernel only.
 *
 * A file that includes this first says which by USE_AVX2 or USE_AVX512. With BAREBOAT_EMULATED the intrinsics are
 * someone else's, portable C, which tests a path on a CPU without it. */
#ifndef BAREBOAT_SIMD_H
#define BAREBOAT_SIMD_H

#if defined(BAREBOAT_EMULATED)
#define END_OF_INSTRUCTIONS
#elif defined(__clang__) && defined(USE_AVX512)
#pragma clang attribute push(__attribute__((target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi"))), \
                             apply_to = function)
#elif defined(__clang__) && defined(USE_AVX2)
#pragma clang attribute push(__attribute__((target("avx2,popcnt"))), apply_to = function)
#elif defined(USE_AVX512)
#pragma GCC target("avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")
#elif defined(USE_AVX2)
#pragma GCC target("avx2,popcnt")
#endif
#if defined(__x86_64__) && !defined(BAREBOAT_EMULATED)
#include <immintrin.h>
#if defined(__clang__)
#define END_OF_INSTRUCTIONS _Pragma("clang attribute pop")
#else
#define END_OF_INSTRUCTIONS
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Loops over registers must be unrolled, or the registers become memory. */
#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

#endif
