/* The parameters of each step: whether there are as many as its operation takes, and every one is what it may be. */
#include <float.h>
#include <math.h>

#include "file.h"
#include "pipeline.h"
#include "pipeline_file.h"

BEGIN_SMALL

enum { ANY = 255, AS_INPUTS = 254, NONE = 0 };

/* What each operation takes: inputs and outputs (ANY, AS_INPUTS or a number), numbers for each input (or ANY), and the
 * least and most whole numbers. */
static const struct {
    uint8_t n_in, n_out, numbers, least_whole, most_whole;
} SHAPES[N_OPS] = {
    [OP_COPY] = {ANY, AS_INPUTS, 0, 0, 0},      [OP_ADD] = {ANY, AS_INPUTS, 1, 0, 0},
    [OP_SUBTRACT] = {ANY, AS_INPUTS, 1, 0, 0},  [OP_REVERSE] = {ANY, AS_INPUTS, 1, 0, 0},
    [OP_MULTIPLY] = {ANY, AS_INPUTS, 1, 0, 0},  [OP_DIVIDE] = {ANY, AS_INPUTS, 1, 0, 0},
    [OP_CLIP] = {ANY, AS_INPUTS, 2, 0, 0},      [OP_REPLACE] = {ANY, AS_INPUTS, 2, 0, 0},
    [OP_MATCHES] = {ANY, AS_INPUTS, 1, 0, 0},   [OP_GREATER] = {ANY, AS_INPUTS, 1, 0, 1},
    [OP_FUNCTION] = {ANY, AS_INPUTS, 0, 1, 1},  [OP_PRODUCT] = {ANY, ANY, 0, 0, 0},
    [OP_NORMALIZE] = {ANY, AS_INPUTS, ANY, 1, 2}, [OP_FIND] = {1, 1, ANY, 0, 0},
    [OP_BIN] = {1, 1, ANY, 0, 0},               [OP_ONE_HOT] = {1, ANY, 0, 2, ANY},
    [OP_LOOKUP] = {1, ANY, ANY, 2, ANY},        [OP_DOT] = {ANY, ANY, ANY, 0, 0},
    [OP_FOREST] = {ANY, ANY, 0, 2, 2},          [OP_SOFTMAX] = {ANY, AS_INPUTS, 0, 0, 0},
    [OP_INTERPOLATE] = {1, 1, ANY, 0, 0},       [OP_AVERAGE] = {ANY, ANY, ANY, 0, 0},
    [OP_ARGMAX] = {ANY, 1, 0, 0, 0},            [OP_VOTE] = {ANY, 1, 1, 1, 1}};

static int has_shape(const struct step_run *step) {
    uint32_t n_in = SHAPES[step->op].n_in, n_out = SHAPES[step->op].n_out, numbers = SHAPES[step->op].numbers;
    uint32_t least = SHAPES[step->op].least_whole, most = SHAPES[step->op].most_whole;
    if (n_in != ANY && step->n_in != n_in) return 0;
    if (n_out != ANY && step->n_out != (n_out == AS_INPUTS ? step->n_in : n_out)) return 0;
    if (numbers != ANY && step->n_numbers != (uint64_t)numbers * step->n_in) return 0;
    return step->n_whole >= least && (most == ANY || step->n_whole <= most);
}

static int is_nan(double value) { return value != value; }

/* Numbers rise (by more than nothing when `strictly`), none of them NaN. */
static int32_t check_rising(const double *p, uint64_t n, int strictly) {
    for (uint64_t i = 0; i < n; i++)
        if (is_nan(p[i])) return BAREBOAT_NUMBER;
    for (uint64_t i = 1; i < n; i++)
        if (!(p[i - 1] < p[i]) && (strictly || p[i - 1] != p[i])) return BAREBOAT_ORDER;
    return BAREBOAT_OK;
}

/* A table of places: each is REFUSED, ABSENT or below `n`. */
static int32_t check_places(const struct step_run *step, uint64_t n) {
    for (uint32_t i = 0; i < step->n_whole; i++)
        if (step->w[i] < PLACE_REFUSED || (step->w[i] >= 0 && (uint32_t)step->w[i] >= n)) return BAREBOAT_INDEX;
    return BAREBOAT_OK;
}

/* Whole number `i`, which may be absent, is at most `most`. */
static int32_t check_choice(const struct step_run *step, uint32_t i, int32_t most) {
    return i < step->n_whole && (step->w[i] < 0 || step->w[i] > most) ? BAREBOAT_INDEX : BAREBOAT_OK;
}

static int32_t check_finite(const double *p, uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(p[i])) return BAREBOAT_NUMBER;
    return BAREBOAT_OK;
}

static int32_t check_interpolation(const struct step_run *step) {
    int32_t error;
    if (!step->n_numbers || step->n_numbers % 2) return BAREBOAT_COUNT;
    error = check_finite(step->p, step->n_numbers);
    return error ? error : check_rising(step->p, step->n_numbers / 2, 0);
}

int32_t check_step(const struct step_run *step) {
    uint64_t n_in = step->n_in, n_out = step->n_out, n_numbers = step->n_numbers;
    int32_t error;
    if (!has_shape(step)) return BAREBOAT_COUNT;
    switch ((enum op)step->op) {
    case OP_CLIP:
        for (uint64_t i = 0; i < n_numbers; i++)
            if (is_nan(step->p[i])) return BAREBOAT_NUMBER;
        return BAREBOAT_OK;
    case OP_GREATER: return check_choice(step, 0, 1);
    case OP_FUNCTION: return check_choice(step, 0, N_FUNCTIONS - 1);
    case OP_PRODUCT: return n_in == 2 * n_out ? BAREBOAT_OK : BAREBOAT_COUNT;
    case OP_NORMALIZE:
        if (!n_in || n_numbers > 1) return BAREBOAT_COUNT;
        if (n_numbers && is_nan(step->p[0])) return BAREBOAT_NUMBER;
        error = check_choice(step, 0, 3);
        return error ? error : check_choice(step, 1, 1);
    case OP_FIND: return check_rising(step->p, n_numbers - (n_numbers && is_nan(step->p[n_numbers - 1])), 1);
    case OP_BIN: return check_rising(step->p, n_numbers, 0);
    case OP_ONE_HOT: return check_places(step, n_out);
    case OP_LOOKUP:
        if (!n_out || n_numbers % n_out) return BAREBOAT_COUNT;
        return check_places(step, n_numbers / n_out);
    case OP_DOT: return n_out && n_numbers == n_out * (n_in + 1) ? BAREBOAT_OK : BAREBOAT_COUNT;
    case OP_FOREST: return check_choice(step, 1, 1);
    case OP_SOFTMAX:
    case OP_ARGMAX: return n_in ? BAREBOAT_OK : BAREBOAT_COUNT;
    case OP_INTERPOLATE: return check_interpolation(step);
    case OP_AVERAGE:
        return n_out && n_in && n_in % n_out == 0 && n_numbers == n_in / n_out + 1 ? BAREBOAT_OK : BAREBOAT_COUNT;
    case OP_VOTE:
        if (!n_in) return BAREBOAT_COUNT;
        if (step->w[0] < 1) return BAREBOAT_INDEX;
        return check_finite(step->p, n_numbers);
    default: return BAREBOAT_OK;
    }
}

END_SMALL
