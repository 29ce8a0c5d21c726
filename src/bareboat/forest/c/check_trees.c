/* Nodes of a file: whether they divide the leaves of each tree, and whether column, cut and set exist. */
#include <string.h>

#include "check.h"
#include "kernel.h"

/* The cut of a categorical node is a set of its tree. Its bits stand for the codes of its column and then, from
 * version 2 on, for what is none of them and for NaN. */
static int32_t check_set(const struct forest *forest, uint32_t tree, uint32_t column, uint32_t cut) {
    const uint32_t *set = words(forest, SET_START), *offset = words(forest, SET_OFFSET);
    const uint32_t *start = words(forest, CATEGORY_START);
    uint64_t n_bits;
    uint32_t spare, at, width;
    if (column >= forest->count[COLUMNS] || cut >= set[tree + 1] - set[tree]) return wrong(BAREBOAT_INDEX, NODES);
    start += column - forest->n_numeric;
    n_bits = (uint64_t)start[1] - start[0] + (forest->header->version == 1 ? 0 : 2);
    spare = n_bits % 8;
    at = offset[set[tree] + cut];
    width = offset[set[tree] + cut + 1] - at;
    if (width > n_bits / 8 + (spare != 0)) return wrong(BAREBOAT_INDEX, SETS);
    if (spare && width == n_bits / 8 + 1 && bytes(forest, SETS)[at + width - 1] >> spare)
        return wrong(BAREBOAT_INDEX, SETS);
    return BAREBOAT_OK;
}

/* What nodes are checked against. A copy of what stands in the forest: writing `end` cannot change it. */
struct bounds {
    const void *nodes;
    const uint32_t *n_cuts; /* of each numeric column */
    uint32_t n_numeric, depth;
};

/* Each node divides the branch [first, high) of leaves at its `right`; end[first] is `high`, and 0 where no branch
 * starts. As a tree has a node less than leaves, all branches are divided in the end. Nodes lie in preorder when
 * `first` never falls: a branch that was left out to the left of a node would need a node of a smaller `first` later.
 * So no stack is needed, and `high` is all that a node has to wait for. `n_waiting` counts the branches that are still
 * to be divided. */
static inline int32_t check_tree(const struct forest *forest, struct bounds bounds, uint32_t tree, uint32_t *end,
                                 uint32_t kind) {
    const uint32_t *start = words(forest, LEAF_START) + tree;
    uint64_t at = (uint64_t)start[0] - tree;
    uint32_t n_leaves = start[1] - start[0], n_waiting = n_leaves > 1, previous = 0;
    memset(end, 0, n_leaves * sizeof *end);
    end[0] = n_leaves;
    for (uint32_t i = 0; i + 1 < n_leaves; i++) {
        struct node node = node_in(bounds.nodes, at + i, kind);
        uint32_t high;
        if (node.first < previous || node.first >= n_leaves) return wrong(BAREBOAT_INDEX, NODES);
        high = end[node.first];
        if (node.right <= node.first || node.right >= high) return wrong(BAREBOAT_INDEX, NODES);
        if (node.column >= bounds.n_numeric) {
            int32_t error = check_set(forest, tree, node.column, node.cut);
            if (error) return error;
        } else if (node.cut >= bounds.n_cuts[node.column]) {
            return wrong(BAREBOAT_INDEX, NODES);
        }
        if (n_waiting > bounds.depth) return wrong(BAREBOAT_HEADER, NODES);
        end[node.first] = node.right;
        end[node.right] = high;
        previous = node.first;
        n_waiting += (node.right - node.first > 1) + (high - node.right > 1) - 1;
    }
    return BAREBOAT_OK;
}

static void count_cuts(const struct forest *forest, uint32_t *n_cuts) {
    const uint32_t *start = words(forest, THRESHOLD_START), *column = words(forest, COLUMNS);
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        uint32_t feature = feature_of(column[i]);
        n_cuts[i] = start[feature + 1] - start[feature];
    }
}

int32_t check_trees(const struct forest *forest, uint32_t *memory) {
    const uint32_t *start = words(forest, LEAF_START);
    uint32_t *n_cuts = memory, *end = memory + forest->count[COLUMNS];
    struct bounds bounds = {forest->at[NODES], n_cuts, forest->n_numeric, forest->header->depth};
    uint32_t n_trees = forest->header->n_trees, n_leaves = forest->header->n_leaves, kind = forest->kind[NODES];
    int32_t error = check_starts(forest, LEAF_START, (uint64_t)n_trees + 1, n_leaves);
    if (error) return error;
    if (forest->count[NODES] != n_leaves - n_trees) return wrong(BAREBOAT_COUNT, NODES);
    for (uint32_t tree = 0; tree < n_trees; tree++)
        if (start[tree] == start[tree + 1]) return wrong(BAREBOAT_ORDER, LEAF_START);
    count_cuts(forest, n_cuts);
    for (uint32_t tree = 0; tree < n_trees; tree++) {
        if (kind == 0)
            error = check_tree(forest, bounds, tree, end, 0);
        else
            error = kind == 1 ? check_tree(forest, bounds, tree, end, 1) : check_tree(forest, bounds, tree, end, 2);
        if (error) return error;
    }
    return BAREBOAT_OK;
}
