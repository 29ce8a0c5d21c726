/* Walks of trees over a ranked block, level after level. Inside the kernel only. */
#ifndef BAREBOAT_BATCH_WALK_H
#define BAREBOAT_BATCH_WALK_H

#include "batch_plan.h"
#include "rank_block.h"

/* Rows on their way: (BLOCK) each. */
struct way {
    uint32_t row[BLOCK], entry[BLOCK];
};

/* Leaves of the block's first n rows: (n) into `leaf`. */
void walk_block(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, struct way *way,
                uint32_t *leaf);

#endif
