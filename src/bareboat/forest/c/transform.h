/* Raw scores -> outputs. Inside the kernel only. */
#ifndef BAREBOAT_TRANSFORM_H
#define BAREBOAT_TRANSFORM_H

#include "file.h"

/* Average over `rounds` and transform the raw scores of one row, in place: (n_outputs). */
void transform_row(const struct forest *forest, double rounds, double parameter, double *out);

#endif
