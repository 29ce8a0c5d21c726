/* The checks of a file's content. Inside the kernel only. */
#ifndef BAREBOAT_CHECK_H
#define BAREBOAT_CHECK_H

#include "file.h"

static inline int32_t wrong(int32_t error, enum tag tag) { return error | (int32_t)tag << 8; }

/* Starts rise from 0 to `end`, and there are `count` of them. */
int32_t check_starts(const struct forest *forest, enum tag tag, uint64_t count, uint32_t end);

/* A section of float64 or float32 has no NaN, no infinity and nothing below `least`. */
int32_t check_numbers(const struct forest *forest, enum tag tag, double least);

/* Thresholds, columns, categories and sets; sets forest->n_numeric. */
int32_t check_columns(struct forest *forest);

/* Bases, outputs and parameters, plain, shared and linear leaves, and statistics. */
int32_t check_leaves(const struct forest *forest);

/* Nodes; `memory` has room for a number for each column and each leaf. */
int32_t check_trees(const struct forest *forest, uint32_t *memory);

#endif
