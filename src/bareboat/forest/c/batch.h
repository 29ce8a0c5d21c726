/* Many rows -> raw scores and leaves. Inside the kernel only. */
#ifndef BAREBOAT_BATCH_H
#define BAREBOAT_BATCH_H

#include "file.h"
#include "rank.h"

/* Bytes of scratch that many rows take, however many they are. */
uint64_t batch_scratch(const struct forest *forest);

/* Raw scores of rows [0, n): (n, n_outputs) into `out`. */
void score_rows(const struct forest *forest, const struct rows *rows, int64_t n, double *out, void *scratch);

/* The leaf of each tree for rows [0, n): (n, n_trees) into `leaf`. */
void leaves_of_rows(const struct forest *forest, const struct rows *rows, int64_t n, uint32_t *leaf, void *scratch);

#endif
