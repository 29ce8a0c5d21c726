/* Walks of trees over a ranked block: all rows take a step, those at a leaf drop out, until none is left. No step waits
 * for another row's, and no branch depends on a row. */
#include "batch_walk.h"

/* Whether a dense code is not in a set of the file. */
static inline uint32_t is_outside(const uint8_t *set, uint32_t n_bytes, uint32_t code) {
    return code / 8 >= n_bytes || !(set[code / 8] >> code % 8 & 1);
}

/* STEP says where the row `row` goes from `node`: 1 for right. */
#define WALK(NAME, NODE, STEP)                                                                                       \
    static void NAME(const struct forest *forest, const NODE *nodes, const struct block *block, uint32_t n,         \
                     struct way *way, uint32_t *leaf) {                                                             \
        (void)forest;                                                                                               \
        for (uint32_t i = 0; i < n; i++) {                                                                          \
            const NODE *node = nodes;                                                                               \
            uint32_t row = i;                                                                                       \
            way->row[i] = row;                                                                                      \
            way->entry[i] = node->child + (STEP);                                                                   \
        }                                                                                                           \
        while (n) {                                                                                                 \
            uint32_t left = 0;                                                                                      \
            for (uint32_t i = 0; i < n; i++) {                                                                      \
                uint32_t row = way->row[i];                                                                         \
                const NODE *node = nodes + way->entry[i];                                                           \
                leaf[row] = node->child & ~IS_LEAF;                                                                 \
                way->row[left] = row;                                                                               \
                way->entry[left] = node->child + (STEP);                                                            \
                left += node->child < IS_LEAF;                                                                      \
            }                                                                                                       \
            n = left;                                                                                               \
        }                                                                                                           \
    }

#define RIGHT_OF(TYPE) (((const TYPE *)block->rank)[(uint64_t)node->column * BLOCK + row] < (TYPE)node->cut)

#define RIGHT_OF_SET(TYPE)                                                                                           \
    (node->column & IS_SET ? is_outside(bytes(forest, SETS) + node->cut, node->n_bytes,                             \
                                        block->code[(uint64_t)(node->column ^ IS_SET) * BLOCK + row])               \
                           : (uint32_t)RIGHT_OF(TYPE))

WALK(narrow_8, struct narrow_node, RIGHT_OF(int8_t))
WALK(narrow_16, struct narrow_node, RIGHT_OF(int16_t))
WALK(wide_8, struct wide_node, RIGHT_OF_SET(int8_t))
WALK(wide_16, struct wide_node, RIGHT_OF_SET(int16_t))
WALK(wide_32, struct wide_node, RIGHT_OF_SET(int32_t))

void walk_block(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, struct way *way,
                uint32_t *leaf) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    const struct tree_plan *plan = batch->tree + tree;
    const void *nodes = batch->nodes + plan->at;
    if (plan->how == WALK_NARROW) {
        if (batch->rank_size == 1)
            narrow_8(forest, nodes, block, n, way, leaf);
        else
            narrow_16(forest, nodes, block, n, way, leaf);
    } else if (batch->rank_size == 1) {
        wide_8(forest, nodes, block, n, way, leaf);
    } else if (batch->rank_size == 2) {
        wide_16(forest, nodes, block, n, way, leaf);
    } else {
        wide_32(forest, nodes, block, n, way, leaf);
    }
}
