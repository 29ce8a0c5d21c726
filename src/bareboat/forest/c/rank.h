/* Rows of numbers -> values as the forest compares them -> ranks. Inside the kernel only. */
#ifndef BAREBOAT_RANK_H
#define BAREBOAT_RANK_H

#include "file.h"

/* Many rows: value j of row i is the number at `at + i * row_stride + j * column_stride`, at any address. */
struct rows {
    const char *at;
    int64_t row_stride, column_stride;
    uint32_t number; /* BAREBOAT_FLOAT64 or BAREBOAT_FLOAT32 */
};

/* Values of row `i` as the forest compares them, rounded or with tiny ones as 0.0: (n_features) into `value`. */
void read_row(const struct forest *forest, const struct rows *rows, int64_t i, double *value);

/* Ranks of a row that has been read: (n_columns) into `rank`. */
void rank_row(const struct forest *forest, const double *value, uint32_t *rank);

#endif
