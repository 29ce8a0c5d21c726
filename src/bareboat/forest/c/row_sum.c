/* Leaves -> sums, in the order of the trees. What plain forests hold has a loop of its own for each kind of number. */
#include "row_sum.h"

#include "walk.h"

static inline uint64_t row_of(const void *rows, uint32_t kind, uint64_t leaf) {
    if (kind == 0) return ((const uint8_t *)rows)[leaf];
    if (kind == 1) return ((const uint16_t *)rows)[leaf];
    return kind == 2 ? ((const uint32_t *)rows)[leaf] : leaf;
}

/* One output, summed in float64. */
static inline double sum_double(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf,
                                uint32_t rows, uint32_t is_single, double sum) {
    const uint32_t *start = words(forest, LEAF_START) + first;
    const double *wide = forest->at[LEAF_VALUES];
    const float *narrow = forest->at[LEAF_VALUES];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t row = row_of(forest->at[LEAF_ROW], rows, (uint64_t)start[i] + leaf[i]);
        sum += is_single ? (double)narrow[row] : wide[row];
    }
    return sum;
}

/* One output, summed in float32. */
static inline double sum_single(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf,
                                uint32_t rows, double from) {
    const uint32_t *start = words(forest, LEAF_START) + first;
    const float *value = forest->at[LEAF_VALUES];
    float sum = (float)from;
    for (uint32_t i = 0; i < n; i++) sum += value[row_of(forest->at[LEAF_ROW], rows, (uint64_t)start[i] + leaf[i])];
    return (double)sum;
}

static inline double sum_kind(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf,
                              uint32_t rows, double sum) {
    if (has_flag(forest, SINGLE_SUM)) return sum_single(forest, first, n, leaf, rows, sum);
    return forest->kind[LEAF_VALUES] ? sum_double(forest, first, n, leaf, rows, 1, sum)
                                     : sum_double(forest, first, n, leaf, rows, 0, sum);
}

void add_row_leaves(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf, const double *value,
                double *out) {
    uint32_t rows = forest->count[LEAF_ROW] ? forest->kind[LEAF_ROW] : 3;
    if (forest->header->n_outputs > 1 || forest->count[LINEAR_START]) {
        for (uint32_t i = 0; i < n; i++) add_leaf(forest, first + i, leaf[i], value, out);
        return;
    }
    switch (rows) {
    case 0: *out = sum_kind(forest, first, n, leaf, 0, *out); break;
    case 1: *out = sum_kind(forest, first, n, leaf, 1, *out); break;
    case 2: *out = sum_kind(forest, first, n, leaf, 2, *out); break;
    default: *out = sum_kind(forest, first, n, leaf, 3, *out);
    }
}
