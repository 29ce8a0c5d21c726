/* Leaves -> sums, in the order of the trees. Inside the kernel only. */
#ifndef BAREBOAT_ROW_SUM_H
#define BAREBOAT_ROW_SUM_H

#include "file.h"

/* Add the leaves of trees [first, first + n), counted within each tree, to `out`. `value` is the row as it has been
 * read; it is looked at only where leaves are linear. */
void add_row_leaves(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf, const double *value,
                double *out);

/* The same for leaves that are bytes, where has_plain_sum() holds: one output and no linear leaves. */
void add_row_exits(const struct forest *forest, uint32_t first, uint32_t n, const uint8_t *leaf, double *out);

static inline int has_plain_sum(const struct forest *forest) {
    return forest->header->n_outputs == 1 && !forest->count[LINEAR_START];
}

#endif
