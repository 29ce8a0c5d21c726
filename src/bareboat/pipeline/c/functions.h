/* What FUNCTION applies. Inside the kernel only. */
#ifndef BAREBOAT_FUNCTIONS_H
#define BAREBOAT_FUNCTIONS_H

#include <stdint.h>

/* y[i] = f(x[i]); `function` is one of enum function. */
void apply(uint32_t function, const double *x, double *y, uint64_t n);

#endif
