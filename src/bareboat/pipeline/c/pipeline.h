/* The ABI of bareboat's kernel for pipelines: a mapped .pipeline file and rows of numbers -> answers.
 *
 * As for forests (kernel.h) the kernel allocates nothing, keeps nothing and does no I/O, and its caller owns:
 *
 *   file      the whole .pipeline file at an address that is a multiple of 64. It must stay as it is for as long as
 *             `pipeline` is used: open checks every index once, and nothing is checked again.
 *   pipeline  bareboat_pipeline_memory() bytes, aligned to 64; bareboat_pipeline_open() fills it. Read-only afterwards,
 *             so that any number of threads may share it.
 *   scratch   bareboat_pipeline_scratch() bytes, aligned to 64, one for each thread.
 *
 * A row is n_features numbers: codes where a column has values, NaN where a value is missing. An answer is n_outputs
 * float64 and, where the header names a label's slot, one more: the index of the class. docs/pipeline-format.md
 * describes the file.
 */
#ifndef BAREBOAT_PIPELINE_H
#define BAREBOAT_PIPELINE_H

#include "kernel.h"

/* An error is one of kernel.h's, `| section tag << 8`; what is wrong with an embedded forest is that forest's error
 * (its own tags), `| (number of the forest + 1) << 16`, forests past 32766 counting as this one. What is wrong with a
 * step's numbers is told with the section of the steps. */

/* Return how many bytes `pipeline` takes for this file on any path, or minus an error. Looks at headers and section
 * tables alone. */
BAREBOAT_API int64_t bareboat_pipeline_memory(const void *file, uint64_t size);

/* Check the whole file and all forests in it, and fill `pipeline` for one of kernel.h's paths. Return BAREBOAT_OK or an
 * error. */
BAREBOAT_API int32_t bareboat_pipeline_open(const void *file, uint64_t size, void *pipeline, uint64_t pipeline_size,
                                            uint32_t path);

/* Return how many bytes of scratch one call for one row takes, or with `for_rows` for many. */
BAREBOAT_API uint64_t bareboat_pipeline_scratch(const void *pipeline, uint32_t for_rows);

/* One row: row (n_features), out (n_outputs, and the label). Return 0, or the number of the step that refuses the row
 * plus 1: there is no such class for the number of steps plus 1. Then out is not written. */
BAREBOAT_API uint32_t bareboat_pipeline_row(const void *pipeline, const double *row, double *out, void *scratch);

/* Many rows: value j of row i is the number (kernel.h) at rows + i * row_stride + j * column_stride, in bytes, at any
 * address. out is (n_rows, n_outputs, and the label), contiguous. Return -1, or the number of a row that is refused; then
 * what out holds is not defined. */
BAREBOAT_API int64_t bareboat_pipeline_score(const void *pipeline, uint32_t number, const void *rows, int64_t n_rows,
                                             int64_t row_stride, int64_t column_stride, double *out, void *scratch);

#endif
