/* Leaves -> sums, in the order of the trees. Inside the kernel only. */
#ifndef BAREBOAT_ROW_SUM_H
#define BAREBOAT_ROW_SUM_H

#include "file.h"

/* Add the leaves of trees [first, first + n), counted within each tree, to `out`. `value` is the row as it has been
 * read; it is looked at only where leaves are linear. */
void add_row_leaves(const struct forest *forest, uint32_t first, uint32_t n, const uint32_t *leaf, const double *value,
                double *out);

#endif
