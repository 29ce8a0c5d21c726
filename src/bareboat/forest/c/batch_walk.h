/* Walks of trees over a ranked block. Inside the kernel only. */
#ifndef BAREBOAT_BATCH_WALK_H
#define BAREBOAT_BATCH_WALK_H

#include "batch_plan.h"
#include "rank_block.h"

/* Leaves of the block's first n rows: (BLOCK) into `leaf`, those past n are any leaf. */
void walk_block(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, uint32_t *leaf);

#endif
