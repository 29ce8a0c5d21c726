/* Operations that make one output of one input. No loop has a branch, so that a compiler takes many numbers at once. */
#include "elementwise.h"

static inline int matches(double x, double p) { return (x == p) | ((x != x) & (p != p)); }

#define DEFINE(NAME, N_PARAMETERS, EXPRESSION)                                                                       \
    static void NAME##_each(const double *restrict xs, double *restrict y, const double *restrict ps, uint64_t n) {  \
        for (uint64_t i = 0; i < n; i++) {                                                                           \
            const double x = xs[i], *p = ps + i * N_PARAMETERS;                                                      \
            (void)p;                                                                                                 \
            y[i] = EXPRESSION;                                                                                       \
        }                                                                                                            \
    }                                                                                                                \
    static void NAME##_all(const double *restrict xs, double *restrict y, const double *restrict p, uint64_t n) {    \
        (void)p;                                                                                                     \
        for (uint64_t i = 0; i < n; i++) {                                                                           \
            const double x = xs[i];                                                                                  \
            y[i] = EXPRESSION;                                                                                       \
        }                                                                                                            \
    }

DEFINE(copy, 0, x)
DEFINE(add, 1, x + p[0])
DEFINE(subtract, 1, x - p[0])
DEFINE(reverse, 1, p[0] - x)
DEFINE(multiply, 1, x *p[0])
DEFINE(divide, 1, x / p[0])
DEFINE(clip, 2, (x < p[0] ? p[0] : x) > p[1] ? p[1] : x < p[0] ? p[0] : x)
DEFINE(replace, 2, matches(x, p[0]) ? p[1] : x)
DEFINE(match, 1, matches(x, p[0]) ? 1.0 : 0.0)
DEFINE(greater, 1, x > p[0] ? 1.0 : 0.0)
DEFINE(at_least, 1, x >= p[0] ? 1.0 : 0.0)

const struct elementwise_op ELEMENTWISE[OP_GREATER + 2] = {
    [OP_COPY] = {copy_each, copy_all, 0},
    [OP_ADD] = {add_each, add_all, 1},
    [OP_SUBTRACT] = {subtract_each, subtract_all, 1},
    [OP_REVERSE] = {reverse_each, reverse_all, 1},
    [OP_MULTIPLY] = {multiply_each, multiply_all, 1},
    [OP_DIVIDE] = {divide_each, divide_all, 1},
    [OP_CLIP] = {clip_each, clip_all, 2},
    [OP_REPLACE] = {replace_each, replace_all, 2},
    [OP_MATCHES] = {match_each, match_all, 1},
    [OP_GREATER] = {greater_each, greater_all, 1},
    [OP_GREATER + 1] = {at_least_each, at_least_all, 1}};
