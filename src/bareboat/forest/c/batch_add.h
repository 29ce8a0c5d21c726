/* Leaves of a chunk of trees -> sums. Inside the kernel only. */
#ifndef BAREBOAT_BATCH_ADD_H
#define BAREBOAT_BATCH_ADD_H

#include "batch_plan.h"

/* Leaves that n rows have come to in each tree of a chunk, counted within the tree: bytes from scans, numbers from
 * walks. */
struct leaves {
    uint8_t byte[CHUNK][BLOCK];
    uint32_t number[CHUNK][BLOCK];
    int is_number[CHUNK];
};

/* Add the plain leaves of `count` trees in this order: sums (n, n_outputs). May change `leaves`. */
void add_leaves(const struct forest *forest, const uint32_t *tree, uint32_t count, struct leaves *leaves, uint32_t n,
                double *sum);

#endif
