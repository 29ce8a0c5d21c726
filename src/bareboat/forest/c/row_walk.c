/* Ranks -> leaves by walking every tree of the forest side by side: each turn moves all walkers by one node and keeps
 * those that are not at a leaf yet. Nothing depends on what a branch predictor guesses, and the nodes of many trees
 * are on their way from memory at the same time. */
#include "row_walk.h"

/* Whether a dense code is not in the set number `set` of the forest. */
static inline int is_outside(const struct forest *forest, uint32_t set, uint32_t code) {
    const uint32_t *offset = words(forest, SET_OFFSET) + set;
    if (code / 8 >= offset[1] - offset[0]) return 1;
    return !(bytes(forest, SETS)[offset[0] + code / 8] >> code % 8 & 1);
}

static inline uint32_t start_walkers(const struct forest *forest, struct walker *walkers, uint32_t *leaf) {
    const uint32_t *start = words(forest, LEAF_START);
    uint32_t n = 0;
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) {
        leaf[tree] = 0;
        walkers[n] = (struct walker){tree, start[tree] - tree, 0, start[tree + 1] - start[tree]};
        n += start[tree + 1] - start[tree] > 1;
    }
    return n;
}

static inline void walk_kind(const struct forest *forest, const uint32_t *rank, struct walker *walkers,
                             uint32_t *leaf, uint32_t kind, int has_sets) {
    uint32_t n = start_walkers(forest, walkers, leaf), n_numeric = forest->n_numeric;
    const uint32_t *set = words(forest, SET_START);
    while (n) {
        uint32_t n_left = 0;
        for (uint32_t i = 0; i < n; i++) {
            struct walker at = walkers[i];
            struct node node = node_at(forest, at.node, kind);
            uint32_t right = rank[node.column] > node.cut;
            if (has_sets && node.column >= n_numeric)
                right = (uint32_t)is_outside(forest, set[at.tree] + node.cut, rank[node.column]);
            at.node += right ? node.right - at.low : 1;
            at.high = right ? at.high : node.right;
            at.low = right ? node.right : at.low;
            leaf[at.tree] = at.low;
            walkers[n_left] = at;
            n_left += at.high - at.low > 1;
        }
        n = n_left;
    }
}

void walk_trees(const struct forest *forest, const uint32_t *rank, struct walker *walkers, uint32_t *leaf) {
    uint32_t kind = forest->kind[NODES];
    int has_sets = forest->n_numeric < forest->count[COLUMNS];
    if (kind == 0)
        has_sets ? walk_kind(forest, rank, walkers, leaf, 0, 1) : walk_kind(forest, rank, walkers, leaf, 0, 0);
    else if (kind == 1)
        has_sets ? walk_kind(forest, rank, walkers, leaf, 1, 1) : walk_kind(forest, rank, walkers, leaf, 1, 0);
    else
        has_sets ? walk_kind(forest, rank, walkers, leaf, 2, 1) : walk_kind(forest, rank, walkers, leaf, 2, 0);
}
