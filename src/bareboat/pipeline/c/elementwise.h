/* Operations that make one output of one input. Inside the kernel only. */
#ifndef BAREBOAT_ELEMENTWISE_H
#define BAREBOAT_ELEMENTWISE_H

#include "pipeline_file.h"

/* n outputs of n inputs, which do not overlap: each with parameters of its own (the next at p + 1 or p + 2), or with
 * those at p for all. */
typedef void (*elementwise)(const double *restrict x, double *restrict y, const double *restrict p, uint64_t n);

struct elementwise_op {
    elementwise each, all;
    uint32_t n_parameters; /* of one input */
};

/* By enum op, up to GREATER; then GREATER with w[0] = 1. */
extern const struct elementwise_op ELEMENTWISE[OP_GREATER + 2];

#endif
