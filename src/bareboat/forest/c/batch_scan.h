/* Scans of trees over a ranked block: lanes are rows. Inside the kernel only.
 *
 * With every lane's leaf starting at 0, the rule "if rank > cut and leaf == first: leaf = right", applied to all nodes
 * in the file's order, ends at the right leaf. What a set sends right is found for the whole tree beforehand, so that
 * its nodes read a rank as well: -1 for right, 0 for left, against 0. */
#ifndef BAREBOAT_BATCH_SCAN_H
#define BAREBOAT_BATCH_SCAN_H

#include "batch_plan.h"
#include "rank_block.h"

/* Leaves of the block's first n rows: (BLOCK) into `leaf`, those past n are any leaf. `side` is for the tree's sets:
 * (max_sets, BLOCK) ranks. `leaf` and `side` are aligned to 64. */
typedef void (*scanner)(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, void *side,
                        uint8_t *leaf);

/* The fastest scan of a path, or NULL when it has none. */
scanner scanner_for(uint32_t path);

#if defined(__x86_64__)
void scan_avx2(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, void *side,
               uint8_t *leaf);
void scan_avx512(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, void *side,
                 uint8_t *leaf);
#endif
#if defined(__aarch64__)
void scan_neon(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, void *side,
               uint8_t *leaf);
#endif

#endif
