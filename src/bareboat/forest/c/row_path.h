/* What a path does for one row with its own instructions. Inside the kernel only. */
#ifndef BAREBOAT_ROW_PATH_H
#define BAREBOAT_ROW_PATH_H

#include "row_table.h"

/* float32(1e-35), within which LightGBM reads a value as 0.0: kZeroThreshold in include/LightGBM/meta.h. */
#define ROW_TINY 1.0000000180025095e-35

/* The ranks of numeric columns, in bytes with the top bit turned over; high ones for wide forests only. */
struct row_ranks {
    _Alignas(64) uint8_t low[MOST_COLUMNS];
    uint8_t high[MOST_COLUMNS];
};

/* A lane whose tree goes on in a branch. */
struct row_work {
    uint32_t lane, branch;
};

/* The bits of a row's categories: one pointer for each categorical column. */
struct row_bits {
    const uint8_t *const *of;
    uint32_t n;
};

struct row_path {
    /* Rank the numeric columns: (n_numeric) into `rank`. */
    void (*rank)(const struct forest *forest, const struct row_table *table, const double *row, uint32_t *rank);

    /* Set into[i] to the union of the bits of all columns: n_words words, 64-aligned. */
    void (*join)(const struct row_bits *bits, uint32_t n_words, uint64_t *into);

    /* Scan one group: exit (LANES), 64-aligned. `right` holds the group's categorical decisions, a word a node. */
    void (*scan)(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                 const uint64_t *right, uint8_t *exit);

    /* Go through n branches: set leaf[lane] to the leaf within the tree. */
    void (*finish)(const struct row_table *table, const struct row_ranks *ranks, const struct row_work *work,
                   uint32_t n, const struct row_bits *bits, uint32_t *leaf);
};

#if defined(__x86_64__)
extern const struct row_path ROW_AVX2, ROW_AVX512;
#elif defined(__aarch64__)
extern const struct row_path ROW_NEON;
#endif

/* A value as the forest compares it, NaN where it is missing for this column. */
static inline double column_value(const struct rank_column *column, const double *row, int is_single, int is_zero) {
    double value = row[column->feature];
    if (is_single) value = (double)(float)value;
    if (value >= -ROW_TINY && value <= ROW_TINY) /* seldom, or often zero itself */
        value = column->zero_is_missing ? __builtin_nan("") : is_zero ? 0.0 : value;
    return value;
}

/* What the categorical columns decide about the nodes of a branch. */
static inline uint32_t branch_bits(const struct row_table *table, const struct row_bits *bits, uint32_t branch) {
    uint64_t at = 8ull * table->n_words + 2ull * branch;
    uint32_t right = 0;
    for (uint32_t i = 0; i < bits->n; i++) right |= *(const uint16_t *)(const void *)(bits->of[i] + at);
    return right;
}

#endif
