/* Ranks -> leaves by walking every tree of the forest side by side. Inside the kernel only. */
#ifndef BAREBOAT_ROW_WALK_H
#define BAREBOAT_ROW_WALK_H

#include "file.h"

/* Where a walk stands: at node `node` of the forest, whose branch holds the leaves [low, high) of its tree. */
struct walker {
    uint32_t tree, node, low, high;
};

/* Set leaf (n_trees) to each tree's leaf, counted within the tree; `walkers` holds n_trees of them. */
void walk_trees(const struct forest *forest, const uint32_t *rank, struct walker *walkers, uint32_t *leaf);

#endif
