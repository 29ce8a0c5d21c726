/* Many rows -> raw scores and leaves, row after row. */
#include "batch.h"

#include "row.h"

uint64_t batch_scratch(const struct forest *forest) { return row_scratch(forest); }

void score_rows(const struct forest *forest, const struct rows *rows, int64_t n, double *out, void *scratch) {
    for (int64_t i = 0; i < n; i++, out += forest->header->n_outputs) score_row(forest, rows, i, out, scratch);
}

void leaves_of_rows(const struct forest *forest, const struct rows *rows, int64_t n, uint32_t *leaf, void *scratch) {
    for (int64_t i = 0; i < n; i++, leaf += forest->header->n_trees) leaves_of_row(forest, rows, i, leaf, scratch);
}
