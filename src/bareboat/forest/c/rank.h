/* Rows of numbers -> values as the forest compares them -> ranks. Inside the kernel only. */
#ifndef BAREBOAT_RANK_H
#define BAREBOAT_RANK_H

#include "file.h"

/* float32(1e-35), within which LightGBM reads a value as 0.0: kZeroThreshold in include/LightGBM/meta.h. */
#define TINY 1.0000000180025095e-35

static inline int is_tiny(double value) { return value >= -TINY && value <= TINY; }

/* Many rows: value j of row i is the number at `at + i * row_stride + j * column_stride`, at any address. */
struct rows {
    const char *at;
    int64_t row_stride, column_stride;
    uint32_t number; /* BAREBOAT_FLOAT64 or BAREBOAT_FLOAT32 */
};

/* Values of row `i` as the forest compares them, rounded or with tiny ones as 0.0: (n_features) into `value`. */
void read_row(const struct forest *forest, const struct rows *rows, int64_t i, double *value);

/* How many thresholds of a feature lie below a value that is not NaN. */
uint32_t plain_rank(const struct forest *forest, uint32_t feature, double value);

/* The place of a value among a column's n codes; n when it is none of them, n + 1 when it is NaN. */
uint32_t code_of(const uint32_t *code, uint32_t n, enum rule rule, double value);

/* Ranks of a row that has been read: (n_columns) into `rank`. */
void rank_row(const struct forest *forest, const double *value, uint32_t *rank);

/* The same for the categorical columns alone. */
void rank_categories(const struct forest *forest, const double *value, uint32_t *rank);

#endif
