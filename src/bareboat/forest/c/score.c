/* The public functions of an open forest. */
#include "batch.h"
#include "file.h"
#include "kernel.h"
#include "paths.h"
#include "row.h"
#include "transform.h"

uint64_t bareboat_scratch(const void *forest) {
    uint64_t row = row_scratch(forest), batch = batch_scratch(forest);
    return aligned(row > batch ? row : batch);
}

static struct rows one_row(const double *row) { return (struct rows){(const char *)row, 0, sizeof *row, BAREBOAT_FLOAT64}; }

void bareboat_raw_row(const void *forest, const double *row, double *out, void *scratch) {
    struct rows rows = one_row(row);
    score_row(forest, &rows, 0, out, scratch);
}

void bareboat_transform(const void *memory, double rounds, double parameter, double *scores, int64_t n_rows) {
    const struct forest *forest = memory;
    for (int64_t i = 0; i < n_rows; i++, scores += forest->header->n_outputs)
        transform_row(forest, rounds, parameter, scores);
}

static void transform_rows(const struct forest *forest, double *scores, int64_t n_rows) {
    bareboat_transform(forest, forest->rounds, forest->header->parameter, scores, n_rows);
}

void bareboat_predict_row(const void *forest, const double *row, double *out, void *scratch) {
    bareboat_raw_row(forest, row, out, scratch);
    transform_rows(forest, out, 1);
}

void bareboat_score(const void *memory, uint32_t what, uint32_t number, const void *at, int64_t n_rows,
                    int64_t row_stride, int64_t column_stride, double *out, void *scratch) {
    const struct forest *forest = memory;
    struct rows rows = {at, row_stride, column_stride, number};
    score_rows(forest, &rows, n_rows, out, scratch);
    if (what == BAREBOAT_PREDICT) transform_rows(forest, out, n_rows);
}

void bareboat_leaves(const void *forest, uint32_t number, const void *at, int64_t n_rows, int64_t row_stride,
                     int64_t column_stride, uint32_t *out, void *scratch) {
    struct rows rows = {at, row_stride, column_stride, number};
    leaves_of_rows(forest, &rows, n_rows, out, scratch);
}
