/* Nodes of a file: whether they divide the leaves of each tree, and whether column, cut and set exist. */
#include "check.h"
#include "kernel.h"

/* The cut of a categorical node is a set of its tree. Its bits stand for the codes of its column and then, from
 * version 2 on, for what is none of them and for NaN. */
static int32_t check_set(const struct forest *forest, uint32_t tree, uint32_t column, uint32_t cut) {
    const uint32_t *set = words(forest, SET_START), *offset = words(forest, SET_OFFSET);
    const uint32_t *start = words(forest, CATEGORY_START) + (column - forest->n_numeric);
    uint64_t n_bits = (uint64_t)start[1] - start[0] + (forest->header->version == 1 ? 0 : 2);
    uint32_t spare = n_bits % 8, at, width;
    if (cut >= set[tree + 1] - set[tree]) return wrong(BAREBOAT_INDEX, NODES);
    at = offset[set[tree] + cut];
    width = offset[set[tree] + cut + 1] - at;
    if (width > n_bits / 8 + (spare != 0)) return wrong(BAREBOAT_INDEX, SETS);
    if (spare && width == n_bits / 8 + 1 && bytes(forest, SETS)[at + width - 1] >> spare)
        return wrong(BAREBOAT_INDEX, SETS);
    return BAREBOAT_OK;
}

static inline int32_t check_node(const struct forest *forest, uint32_t tree, struct node node, struct range leaves) {
    const uint32_t *start = words(forest, THRESHOLD_START);
    uint32_t feature;
    if (node.first != leaves.low || node.right <= leaves.low || node.right >= leaves.high)
        return wrong(BAREBOAT_INDEX, NODES);
    if (node.column >= forest->count[COLUMNS]) return wrong(BAREBOAT_INDEX, NODES);
    if (node.column >= forest->n_numeric) return check_set(forest, tree, node.column, node.cut);
    feature = feature_of(words(forest, COLUMNS)[node.column]);
    return node.cut < start[feature + 1] - start[feature] ? BAREBOAT_OK : wrong(BAREBOAT_INDEX, NODES);
}

/* Nodes lie in preorder; each splits the leaves [low, high) at its `right`, so that ranges follow from ranges. What
 * waits on the stack is stored first and counted afterwards, which saves a branch that no CPU can foresee. */
static inline int32_t check_tree(const struct forest *forest, uint32_t tree, struct range *stack, uint32_t kind) {
    const uint32_t *start = words(forest, LEAF_START);
    uint64_t i = (uint64_t)start[tree] - tree;
    uint32_t n_leaves = start[tree + 1] - start[tree], depth = forest->header->depth, n_waiting = n_leaves > 1;
    stack[0] = (struct range){0, n_leaves};
    while (n_waiting) {
        struct node node = node_at(forest, i++, kind);
        struct range leaves = stack[n_waiting - 1];
        int32_t error = check_node(forest, tree, node, leaves);
        if (n_waiting > depth) error = wrong(BAREBOAT_HEADER, NODES);
        if (error) return error;
        stack[--n_waiting] = (struct range){node.right, leaves.high};
        n_waiting += leaves.high - node.right > 1;
        stack[n_waiting] = (struct range){leaves.low, node.right};
        n_waiting += node.right - leaves.low > 1;
    }
    return BAREBOAT_OK;
}

int32_t check_trees(const struct forest *forest, struct range *stack) {
    const uint32_t *start = words(forest, LEAF_START);
    uint32_t n_trees = forest->header->n_trees, n_leaves = forest->header->n_leaves, kind = forest->kind[NODES];
    int32_t error = check_starts(forest, LEAF_START, (uint64_t)n_trees + 1, n_leaves);
    if (error) return error;
    if (forest->count[NODES] != n_leaves - n_trees) return wrong(BAREBOAT_COUNT, NODES);
    for (uint32_t tree = 0; tree < n_trees; tree++)
        if (start[tree] == start[tree + 1]) return wrong(BAREBOAT_ORDER, LEAF_START);
    for (uint32_t tree = 0; tree < n_trees; tree++) {
        if (kind == 0)
            error = check_tree(forest, tree, stack, 0);
        else
            error = kind == 1 ? check_tree(forest, tree, stack, 1) : check_tree(forest, tree, stack, 2);
        if (error) return error;
    }
    return BAREBOAT_OK;
}
