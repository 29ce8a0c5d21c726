/* XXH64 with seed 0. Source: the xxHash specification 0.1.1, section "XXH64 algorithm". */
#include <string.h>

#include "kernel.h"
#include "simd.h"

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t value, int by) { return value << by | value >> (64 - by); }

static uint64_t turn(uint64_t lane, uint64_t word) { return rotate(lane + word * P2, 31) * P1; }

static uint64_t word_at(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

uint64_t bareboat_digest(const void *data, uint64_t size) {
    const uint8_t *at = data;
    uint64_t total = P5, left = size;
    if (size >= 32) {
        uint64_t lane[4] = {P1 + P2, P2, 0, 0 - P1};
        for (; left >= 32; left -= 32, at += 32)
            UNROLL for (int i = 0; i < 4; i++) lane[i] = turn(lane[i], word_at(at + 8 * i));
        total = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
        for (int i = 0; i < 4; i++) total = (total ^ turn(0, lane[i])) * P1 + P4;
    }
    total += size;
    for (; left >= 8; left -= 8, at += 8) total = rotate(total ^ turn(0, word_at(at)), 27) * P1 + P4;
    if (left >= 4) {
        uint32_t word;
        memcpy(&word, at, sizeof word);
        total = rotate(total ^ word * P1, 23) * P2 + P3;
        left -= 4, at += 4;
    }
    for (; left; left--, at++) total = rotate(total ^ *at * P5, 11) * P1;
    total = (total ^ total >> 33) * P2;
    total = (total ^ total >> 29) * P3;
    return total ^ total >> 32;
}

/* What this kernel was built from, so that the build can tell whether it is up to date. */
#ifndef BAREBOAT_STAMP
#define BAREBOAT_STAMP "unstamped"
#endif
const char *bareboat_stamp(void) { return BAREBOAT_STAMP; }
