/* One row -> raw scores. Inside the kernel only. */
#ifndef BAREBOAT_ROW_H
#define BAREBOAT_ROW_H

#include "file.h"
#include "rank.h"

/* Bytes of scratch that one row takes. */
uint64_t row_scratch(const struct forest *forest);

/* Raw scores of row `i`: (n_outputs) into `out`. */
void score_row(const struct forest *forest, const struct rows *rows, int64_t i, double *out, void *scratch);

/* The leaf of each tree for row `i`: (n_trees) into `leaf`. */
void leaves_of_row(const struct forest *forest, const struct rows *rows, int64_t i, uint32_t *leaf, void *scratch);

#endif
