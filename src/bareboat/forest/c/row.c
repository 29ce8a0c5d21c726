/* One row -> raw scores: read, rank, then walk tree after tree. */
#include "row.h"

#include "walk.h"

/* Scratch holds n_features values, then n_columns ranks. */
uint64_t row_scratch(const struct forest *forest) {
    return forest->header->n_features * sizeof(double) + forest->count[COLUMNS] * (uint64_t)sizeof(uint32_t);
}

static uint32_t *ranks_of_row(const struct forest *forest, const struct rows *rows, int64_t i, void *scratch) {
    double *value = scratch;
    uint32_t *rank = (uint32_t *)(value + forest->header->n_features);
    read_row(forest, rows, i, value);
    rank_row(forest, value, rank);
    return rank;
}

void score_row(const struct forest *forest, const struct rows *rows, int64_t i, double *out, void *scratch) {
    const uint32_t *rank = ranks_of_row(forest, rows, i, scratch);
    start_sums(forest, out);
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++)
        add_leaf(forest, tree, walk(forest, tree, rank), scratch, out);
}

void leaves_of_row(const struct forest *forest, const struct rows *rows, int64_t i, uint32_t *leaf, void *scratch) {
    const uint32_t *rank = ranks_of_row(forest, rows, i, scratch);
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) leaf[tree] = walk(forest, tree, rank);
}
