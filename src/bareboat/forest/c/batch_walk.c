/* Walks of trees over a ranked block, some rows side by side: while one waits for its next node the others go on. */
#include "batch_walk.h"

#include "simd.h"

enum { ABREAST = 8 };

/* Whether a dense code is not in a set of the file. */
static inline uint32_t is_outside(const uint8_t *set, uint32_t n_bytes, uint32_t code) {
    return code / 8 >= n_bytes || !(set[code / 8] >> code % 8 & 1);
}

/* RIGHT says where the row `row` goes from `node`: 1 for right. A row that has come to a leaf stays. */
#define WALK(NAME, NODE, RIGHT)                                                                                      \
    static void NAME(const struct forest *forest, const NODE *nodes, const struct block *block, uint32_t n,          \
                     uint32_t *leaf) {                                                                               \
        (void)forest;                                                                                                \
        for (uint32_t first = 0; first < n; first += ABREAST) {                                                      \
            uint32_t at[ABREAST], going;                                                                             \
            UNROLL for (uint32_t i = 0; i < ABREAST; i++) at[i] = 0;                                                 \
            do {                                                                                                     \
                going = 0;                                                                                           \
                UNROLL for (uint32_t i = 0; i < ABREAST; i++) {                                                      \
                    const NODE node = nodes[at[i]];                                                                  \
                    uint32_t row = first + i, goes = (node.child >> 31) - 1;                                         \
                    at[i] ^= (at[i] ^ (node.child + (RIGHT))) & goes;                                                \
                    going |= goes;                                                                                   \
                }                                                                                                    \
            } while (going);                                                                                         \
            UNROLL for (uint32_t i = 0; i < ABREAST; i++) leaf[first + i] = nodes[at[i]].child & ~IS_LEAF;           \
        }                                                                                                            \
    }

#define RIGHT_OF(TYPE) (((const TYPE *)block->rank)[(uint64_t)node.column * BLOCK + row] < (TYPE)node.cut)

#define RIGHT_OF_SET(TYPE)                                                                                           \
    (node.column & IS_SET ? is_outside(bytes(forest, SETS) + node.cut, node.n_bytes,                                 \
                                       block->code[(uint64_t)(node.column ^ IS_SET) * BLOCK + row])                  \
                          : (uint32_t)RIGHT_OF(TYPE))

WALK(narrow_8, struct narrow_node, RIGHT_OF(int8_t))
WALK(narrow_16, struct narrow_node, RIGHT_OF(int16_t))
WALK(wide_8, struct wide_node, RIGHT_OF_SET(int8_t))
WALK(wide_16, struct wide_node, RIGHT_OF_SET(int16_t))
WALK(wide_32, struct wide_node, RIGHT_OF_SET(int32_t))

void walk_block(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, uint32_t *leaf) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    const struct tree_plan *plan = batch->tree + tree;
    const void *nodes = batch->nodes + plan->at;
    if (plan->how == WALK_NARROW) {
        if (batch->rank_size == 1)
            narrow_8(forest, nodes, block, n, leaf);
        else
            narrow_16(forest, nodes, block, n, leaf);
    } else if (batch->rank_size == 1) {
        wide_8(forest, nodes, block, n, leaf);
    } else if (batch->rank_size == 2) {
        wide_16(forest, nodes, block, n, leaf);
    } else {
        wide_32(forest, nodes, block, n, leaf);
    }
}
