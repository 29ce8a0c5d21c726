/* Leaves -> sums, in the order of the trees. What plain forests hold has a loop of its own for each kind of number. */
#include "row_sum.h"

#include "walk.h"

static inline uint64_t row_of(const void *rows, uint32_t kind, uint64_t leaf) {
    if (kind == 0) return ((const uint8_t *)rows)[leaf];
    if (kind == 1) return ((const uint16_t *)rows)[leaf];
    return kind == 2 ? ((const uint32_t *)rows)[leaf] : leaf;
}

/* Leaves within their trees, as words or as bytes. */
struct leaves {
    const uint32_t *words;
    const uint8_t *bytes;
};

static inline uint64_t leaf_at(struct leaves leaves, uint32_t i) { return leaves.bytes ? leaves.bytes[i] : leaves.words[i]; }

/* One output, summed in float64. */
static inline double sum_double(const struct forest *forest, uint32_t first, uint32_t n, struct leaves leaves,
                                uint32_t rows, uint32_t is_single, double sum) {
    const uint32_t *start = words(forest, LEAF_START) + first;
    const double *wide = forest->at[LEAF_VALUES];
    const float *narrow = forest->at[LEAF_VALUES];
    const void *row_at = forest->at[LEAF_ROW];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t row = row_of(row_at, rows, start[i] + leaf_at(leaves, i));
        sum += is_single ? (double)narrow[row] : wide[row];
    }
    return sum;
}

/* One output, summed in float32. */
static inline double sum_single(const struct forest *forest, uint32_t first, uint32_t n, struct leaves leaves,
                                uint32_t rows, double from) {
    const uint32_t *start = words(forest, LEAF_START) + first;
    const float *value = forest->at[LEAF_VALUES];
    const void *row_at = forest->at[LEAF_ROW];
    float sum = (float)from;
    for (uint32_t i = 0; i < n; i++) sum += value[row_of(row_at, rows, start[i] + leaf_at(leaves, i))];
    return (double)sum;
}

static inline double sum_rows(const struct forest *forest, uint32_t first, uint32_t n, struct leaves leaves,
                              uint32_t rows, double sum) {
    if (has_flag(forest, SINGLE_SUM)) return sum_single(forest, first, n, leaves, rows, sum);
    return forest->kind[LEAF_VALUES] ? sum_double(forest, first, n, leaves, rows, 1, sum)
                                     : sum_double(forest, first, n, leaves, rows, 0, sum);
}

static inline void add_plainly(const struct forest *forest, uint32_t first, uint32_t n, struct leaves leaves,
                               double *out) {
    uint32_t rows = forest->count[LEAF_ROW] ? forest->kind[LEAF_ROW] : 3;
    switch (rows) {
    case 0: *out = sum_rows(forest, first, n, leaves, 0, *out); break;
    case 1: *out = sum_rows(forest, first, n, leaves, 1, *out); break;
    case 2: *out = sum_rows(forest, first, n, leaves, 2, *out); break;
    default: *out = sum_rows(forest, first, n, leaves, 3, *out);
    }
}

void add_row_exits(const struct forest *forest, uint32_t first, uint32_t n, const uint8_t *leaf, double *out) {
    add_plainly(forest, first, n, (struct leaves){0, leaf}, out);
}

void add_row_leaves(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf, const double *value,
                    double *out) {
    if (has_plain_sum(forest))
        add_plainly(forest, first, n, (struct leaves){leaf, 0}, out);
    else
        for (uint32_t i = 0; i < n; i++) add_leaf(forest, first + i, leaf[i], value, out);
}
