/* Ranks -> leaves -> sums, one tree after the other. */
#include "walk.h"

#include <math.h>

#include "kernel.h"

/* Whether a dense code is not in the set number `set` of the forest. */
static int is_outside(const struct forest *forest, uint32_t set, uint32_t code) {
    const uint32_t *offset = words(forest, SET_OFFSET) + set;
    if (code / 8 >= offset[1] - offset[0]) return 1;
    return !(bytes(forest, SETS)[offset[0] + code / 8] >> code % 8 & 1);
}

/* The left branch of a node follows it, the right one follows the left one's splits. */
static inline uint32_t walk_kind(const struct forest *forest, uint32_t tree, const uint32_t *rank, uint32_t kind) {
    const uint32_t *start = words(forest, LEAF_START) + tree;
    uint64_t i = (uint64_t)start[0] - tree;
    uint32_t low = 0, high = start[1] - start[0];
    uint32_t first_set = forest->count[SET_START] ? words(forest, SET_START)[tree] : 0;
    while (high - low > 1) {
        struct node node = node_at(forest, i, kind);
        int right = node.column < forest->n_numeric ? rank[node.column] > node.cut
                                                    : is_outside(forest, first_set + node.cut, rank[node.column]);
        i += right ? node.right - low : 1;
        high = right ? high : node.right;
        low = right ? node.right : low;
    }
    return low;
}

uint32_t walk(const struct forest *forest, uint32_t tree, const uint32_t *rank) {
    if (forest->kind[NODES] == 0) return walk_kind(forest, tree, rank, 0);
    return forest->kind[NODES] == 1 ? walk_kind(forest, tree, rank, 1) : walk_kind(forest, tree, rank, 2);
}

void start_sums(const struct forest *forest, double *out) {
    for (uint32_t i = 0; i < forest->header->n_outputs; i++)
        out[i] = forest->count[BASE] ? doubles(forest, BASE)[i] : 0.0;
}

/* constant + sum of coefficient * value, in this order; the plain leaf value where a value is NaN. */
static double linear_value(const struct forest *forest, uint64_t leaf, const double *value) {
    const uint32_t *start = words(forest, LINEAR_START) + leaf, *feature = words(forest, LINEAR_FEATURE);
    const double *coefficient = doubles(forest, LINEAR_COEFFICIENT);
    double score = doubles(forest, LINEAR_CONSTANT)[leaf];
    for (uint32_t i = start[0]; i < start[1]; i++) {
        if (isnan(value[feature[i]])) return number_at(forest, LEAF_VALUES, leaf_row(forest, leaf));
        score += coefficient[i] * value[feature[i]];
    }
    return score;
}

void add_leaf(const struct forest *forest, uint32_t tree, uint32_t leaf, const double *value, double *out) {
    uint64_t at = (uint64_t)words(forest, LEAF_START)[tree] + leaf, width = forest->leaf_width;
    uint64_t row = leaf_row(forest, at) * width;
    if (forest->count[LINEAR_START]) {
        out[tree_output(forest, tree)] += linear_value(forest, at, value);
        return;
    }
    if (width == 1) out += tree_output(forest, tree);
    if (has_flag(forest, SINGLE_SUM))
        for (uint64_t i = 0; i < width; i++) out[i] = (double)((float)out[i] + (float)number_at(forest, LEAF_VALUES, row + i));
    else
        for (uint64_t i = 0; i < width; i++) out[i] += number_at(forest, LEAF_VALUES, row + i);
}
