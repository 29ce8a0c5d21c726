/* Rows -> answers: the steps one after the other, over a block of rows or for one row.
 *
 * Slot s of row r lies at slots[s * stride + r]. One row is a block of one with a stride of 1, but that operations on
 * one input take all inputs of a step at once. Every sum is done in the order of its inputs, so that both ways give the
 * same bits.
 */
#include <math.h>
#include <string.h>

#include "elementwise.h"
#include "file.h"
#include "functions.h"
#include "paths.h"
#include "pipeline.h"
#include "pipeline_file.h"

enum {
    PART = 32,  /* rows that are read together, so that they stay in the nearest cache */
    CHUNK = 16, /* rows of a DOT whose sums stay in registers; divides every block */
    NONE_REFUSED = -1
};

/* The rows at hand. */
struct lanes {
    double *slots;
    uint64_t stride;
    uint32_t n;
    double *work;         /* beside the slots: (pipeline->work) and two times the rows of a block, or most_in */
    void *forest_scratch;
};

static double *slot(const struct lanes *lanes, uint64_t number) { return lanes->slots + number * lanes->stride; }
static const double *input(const struct lanes *lanes, const struct step_run *step, uint64_t i) {
    return slot(lanes, step->in[i]);
}
static double *output(const struct lanes *lanes, const struct step_run *step, uint64_t i) {
    return slot(lanes, step->out + i);
}

/* Inputs of one row, one behind the other. */
static const double *gathered(const struct lanes *lanes, const struct step_run *step) {
    if (step->is_run) return lanes->slots + (step->n_in ? step->in[0] : 0);
    for (uint32_t i = 0; i < step->n_in; i++) lanes->work[i] = lanes->slots[step->in[i]];
    return lanes->work;
}

static void run_elementwise(const struct step_run *step, const struct lanes *lanes, int is_row) {
    const struct elementwise_op *op = ELEMENTWISE + step->op + (step->op == OP_GREATER && step->n_whole && step->w[0]);
    if (is_row) {
        op->each(gathered(lanes, step), lanes->slots + step->out, step->p, step->n_in);
        return;
    }
    for (uint32_t i = 0; i < step->n_in; i++)
        op->all(input(lanes, step, i), output(lanes, step, i), step->p + (uint64_t)i * op->n_parameters, lanes->n);
}

static void run_function(const struct step_run *step, const struct lanes *lanes, int is_row) {
    if (is_row) {
        apply((uint32_t)step->w[0], gathered(lanes, step), lanes->slots + step->out, step->n_in);
        return;
    }
    for (uint32_t i = 0; i < step->n_in; i++)
        apply((uint32_t)step->w[0], input(lanes, step, i), output(lanes, step, i), lanes->n);
}

static void run_product(const struct step_run *step, const struct lanes *lanes) {
    for (uint32_t i = 0; i < step->n_out; i++) {
        const double *a = input(lanes, step, 2ull * i), *b = input(lanes, step, 2ull * i + 1);
        double *y = output(lanes, step, i);
        for (uint32_t row = 0; row < lanes->n; row++) y[row] = a[row] * b[row];
    }
}

/* Sizes of rows by a norm: (n). */
static void measure(const struct step_run *step, const struct lanes *lanes, double *size) {
    int32_t norm = step->w[0];
    for (uint32_t i = 0; i < step->n_in; i++) {
        const double *x = input(lanes, step, i);
        for (uint32_t row = 0; row < lanes->n; row++) {
            double part = norm == 3 ? x[row] : norm == 1 ? x[row] * x[row] : fabs(x[row]);
            if (i == 0)
                size[row] = part;
            else if (norm == 2)
                size[row] = part > size[row] || part != part ? part : size[row];
            else
                size[row] += part;
        }
    }
    if (norm == 1)
        for (uint32_t row = 0; row < lanes->n; row++) size[row] = sqrt(size[row]);
}

static void run_normalize(const struct step_run *step, const struct lanes *lanes) {
    int is_even = step->n_whole > 1 && step->w[1];
    double least = step->n_numbers ? step->p[0] : -INFINITY;
    measure(step, lanes, lanes->work);
    for (uint32_t i = 0; i < step->n_in; i++) {
        const double *x = input(lanes, step, i);
        double *y = output(lanes, step, i);
        for (uint32_t row = 0; row < lanes->n; row++) {
            double size = lanes->work[row];
            int is_small = size == 0.0 || size < least;
            y[row] = !is_small ? x[row] / size : is_even ? 1.0 / step->n_in : x[row];
        }
    }
}

/* How many of n numbers that rise are below x, or also those that equal it. */
static inline uint32_t count_below(const double *p, uint32_t n, double x, int with_equal) {
    const double *at = p;
    if (!n) return 0;
    for (; n > 1; n -= n / 2) at = (with_equal ? at[n / 2 - 1] <= x : at[n / 2 - 1] < x) ? at + n / 2 : at;
    return (uint32_t)(at - p) + (with_equal ? *at <= x : *at < x);
}

static void run_find(const struct step_run *step, const struct lanes *lanes) {
    const double *x = input(lanes, step, 0);
    double *y = output(lanes, step, 0);
    uint32_t n = step->n_numbers - step->has_nan;
    for (uint32_t row = 0; row < lanes->n; row++) {
        double value = x[row];
        uint32_t place = count_below(step->p, n, value, 0);
        if (value != value)
            y[row] = step->has_nan ? n : value;
        else
            y[row] = place < n && step->p[place] == value ? place : -1.0;
    }
}

static void run_bin(const struct step_run *step, const struct lanes *lanes) {
    const double *x = input(lanes, step, 0);
    double *y = output(lanes, step, 0);
    for (uint32_t row = 0; row < lanes->n; row++)
        y[row] = x[row] != x[row] ? step->n_numbers : count_below(step->p, step->n_numbers, x[row], 1);
}

static inline int32_t place_of(const struct step_run *step, double code) {
    if (code >= 0.0 && code < step->n_whole - 2) return step->w[2 + (uint32_t)code];
    return step->w[code != code];
}

static void clear(const struct step_run *step, const struct lanes *lanes) {
    if (lanes->stride == 1) {
        double *y = lanes->slots + step->out; /* a few: not worth a call */
        for (uint32_t i = 0; i < step->n_out; i++) y[i] = 0.0;
        return;
    }
    for (uint32_t i = 0; i < step->n_out; i++) memset(output(lanes, step, i), 0, lanes->n * sizeof(double));
}

static int64_t run_one_hot(const struct step_run *step, const struct lanes *lanes) {
    const double *x = input(lanes, step, 0);
    double *y = output(lanes, step, 0);
    clear(step, lanes);
    for (uint32_t row = 0; row < lanes->n; row++) {
        int32_t place = place_of(step, x[row]);
        if (place >= 0)
            y[(uint64_t)place * lanes->stride + row] = 1.0;
        else if (place == PLACE_REFUSED)
            return row;
    }
    return NONE_REFUSED;
}

static int64_t run_lookup(const struct step_run *step, const struct lanes *lanes) {
    const double *x = input(lanes, step, 0);
    double *y = output(lanes, step, 0);
    for (uint32_t row = 0; row < lanes->n; row++) {
        int32_t place = place_of(step, x[row]);
        const double *from = step->p + (uint64_t)(place < 0 ? 0 : place) * step->n_out;
        if (place == PLACE_REFUSED) return row;
        for (uint32_t i = 0; i < step->n_out; i++) y[i * lanes->stride + row] = place < 0 ? 0.0 : from[i];
    }
    return NONE_REFUSED;
}

/* One row: sums side by side, since each waits for itself. */
static void dot_row(const struct step_run *step, const struct lanes *lanes) {
    const double *x = gathered(lanes, step), *weight = step->p + step->n_out;
    double *y = lanes->slots + step->out;
    uint64_t k = step->n_in, j = 0;
    if (k)
        for (; j + 4 <= step->n_out; j += 4, weight += 4 * k) {
            double a = x[0] * weight[0], b = x[0] * weight[k], c = x[0] * weight[2 * k], d = x[0] * weight[3 * k];
            for (uint64_t i = 1; i < k; i++) {
                a += x[i] * weight[i];
                b += x[i] * weight[k + i];
                c += x[i] * weight[2 * k + i];
                d += x[i] * weight[3 * k + i];
            }
            y[j] = a + step->p[j], y[j + 1] = b + step->p[j + 1];
            y[j + 2] = c + step->p[j + 2], y[j + 3] = d + step->p[j + 3];
        }
    for (; j < step->n_out; j++, weight += k) {
        double sum = k ? x[0] * weight[0] : 0.0;
        for (uint64_t i = 1; i < k; i++) sum += x[i] * weight[i];
        y[j] = sum + step->p[j];
    }
}

/* Many rows: the last chunk takes what lies behind the last row with it. */
static void dot_rows(const struct step_run *step, const struct lanes *lanes) {
    const double *weight = step->p + step->n_out;
    for (uint32_t j = 0; j < step->n_out; j++, weight += step->n_in) {
        double *y = output(lanes, step, j);
        for (uint32_t row = 0; row < lanes->n; row += CHUNK) {
            double sum[CHUNK] = {0.0};
            for (uint32_t i = 0; i < step->n_in; i++) {
                const double *x = input(lanes, step, i) + row;
                if (i == 0)
                    for (int lane = 0; lane < CHUNK; lane++) sum[lane] = x[lane] * weight[0];
                else
                    for (int lane = 0; lane < CHUNK; lane++) sum[lane] += x[lane] * weight[i];
            }
            for (int lane = 0; lane < CHUNK; lane++) y[row + (uint32_t)lane] = sum[lane] + step->p[j];
        }
    }
}

static float to_single(double x) { return (float)x; }

/* The first of two probabilities, rounded where the forest works in float32. */
static double first_of_two(const struct forest *forest, double second) {
    double first = 1.0 - second;
    return has_flag(forest, SINGLE_SUM) ? (double)to_single(first) : first;
}

static void forest_row(const struct step_run *step, const struct lanes *lanes) {
    const double *x = lanes->slots + step->in[0];
    double *y = lanes->slots + step->out;
    if (step->w[1])
        bareboat_predict_row(step->forest, x, y, lanes->forest_scratch);
    else
        bareboat_raw_row(step->forest, x, y, lanes->forest_scratch);
    if (!step->has_nan) return;
    y[1] = y[0];
    y[0] = first_of_two(step->forest, y[1]);
}

static void forest_rows(const struct step_run *step, const struct lanes *lanes) {
    uint32_t width = step->has_nan ? 1 : step->n_out;
    double *second = output(lanes, step, 1), *first = output(lanes, step, 0);
    bareboat_score(step->forest, step->w[1] ? BAREBOAT_PREDICT : BAREBOAT_RAW, BAREBOAT_FLOAT64, input(lanes, step, 0),
                   lanes->n, sizeof(double), (int64_t)(lanes->stride * sizeof(double)), lanes->work,
                   lanes->forest_scratch);
    if (step->has_nan) {
        for (uint32_t row = 0; row < lanes->n; row++) {
            second[row] = lanes->work[row];
            first[row] = first_of_two(step->forest, second[row]);
        }
        return;
    }
    for (uint32_t i = 0; i < width; i++) {
        double *y = output(lanes, step, i);
        for (uint32_t row = 0; row < lanes->n; row++) y[row] = lanes->work[row * (uint64_t)width + i];
    }
}

/* Put a over b: the greater one, and NaN above all. */
static inline double greatest(double a, double b) { return a > b || a != a ? a : b; }

static void run_softmax(const struct step_run *step, const struct lanes *lanes) {
    double *top = lanes->work, *sum = lanes->work + lanes->n;
    uint32_t n = lanes->n;
    for (uint32_t i = 0; i < step->n_in; i++) {
        const double *x = input(lanes, step, i);
        for (uint32_t row = 0; row < n; row++) top[row] = i ? greatest(x[row], top[row]) : x[row];
    }
    for (uint32_t i = 0; i < step->n_in; i++) {
        const double *x = input(lanes, step, i);
        double *y = output(lanes, step, i);
        for (uint32_t row = 0; row < n; row++) y[row] = exp(x[row] - top[row]);
        for (uint32_t row = 0; row < n; row++) sum[row] = i ? sum[row] + y[row] : y[row];
    }
    for (uint32_t i = 0; i < step->n_in; i++) {
        double *y = output(lanes, step, i);
        for (uint32_t row = 0; row < n; row++) y[row] /= sum[row];
    }
}

/* numpy/_core/src/multiarray/compiled_base.c, arr_interp. */
static double interpolate(const double *at, const double *value, uint32_t n, double x) {
    uint32_t place = count_below(at, n, x, 1);
    const double *left = at + place - 1, *low = value + place - 1;
    double slope, y;
    if (x != x) return x;
    if (!place) return value[0];
    if (place == n || *left == x) return *low;
    slope = (low[1] - low[0]) / (left[1] - left[0]);
    y = slope * (x - left[0]) + low[0];
    if (y == y) return y;
    y = slope * (x - left[1]) + low[1];
    return y != y && low[0] == low[1] ? low[0] : y;
}

static void run_interpolate(const struct step_run *step, const struct lanes *lanes) {
    const double *x = input(lanes, step, 0);
    double *y = output(lanes, step, 0);
    uint32_t n = step->n_numbers / 2;
    for (uint32_t row = 0; row < lanes->n; row++) y[row] = interpolate(step->p, step->p + n, n, x[row]);
}

static void run_average(const struct step_run *step, const struct lanes *lanes) {
    uint32_t n_groups = step->n_numbers - 1;
    double divisor = step->p[n_groups];
    for (uint32_t j = 0; j < step->n_out; j++) {
        double *y = output(lanes, step, j);
        for (uint32_t group = 0; group < n_groups; group++) {
            const double *x = input(lanes, step, (uint64_t)group * step->n_out + j), weight = step->p[group];
            if (group == 0)
                for (uint32_t row = 0; row < lanes->n; row++) y[row] = x[row] * weight;
            else
                for (uint32_t row = 0; row < lanes->n; row++) y[row] += x[row] * weight;
        }
        for (uint32_t row = 0; row < lanes->n; row++) y[row] /= divisor;
    }
}

/* The place of the first of the greatest; of NaN, if there is one. */
static void run_argmax(const struct step_run *step, const struct lanes *lanes) {
    double *top = lanes->work, *y = output(lanes, step, 0);
    for (uint32_t i = 0; i < step->n_in; i++) {
        const double *x = input(lanes, step, i);
        for (uint32_t row = 0; row < lanes->n; row++) {
            int is_better = i == 0 || (top[row] == top[row] && (x[row] > top[row] || x[row] != x[row]));
            y[row] = is_better ? i : y[row];
            top[row] = is_better ? x[row] : top[row];
        }
    }
}

static void run_vote(const struct step_run *step, const struct lanes *lanes) {
    double *y = output(lanes, step, 0), *votes = lanes->work;
    uint32_t n = (uint32_t)step->w[0];
    for (uint32_t row = 0; row < lanes->n; row++) {
        uint32_t best = 0;
        for (uint32_t i = 0; i < n; i++) votes[i] = 0.0;
        for (uint32_t i = 0; i < step->n_in; i++) {
            double x = input(lanes, step, i)[row];
            if (x >= 0.0 && x < n && x == (double)(uint32_t)x) votes[(uint32_t)x] += step->p[i];
        }
        for (uint32_t i = 1; i < n; i++)
            if (votes[best] == votes[best] && (votes[i] > votes[best] || votes[i] != votes[i])) best = i;
        y[row] = best;
    }
}

/* One step; the first row that it refuses, or NONE_REFUSED. */
static inline int64_t run_step(const struct step_run *step, const struct lanes *lanes, int is_row) {
    switch ((enum op)step->op) {
    case OP_FUNCTION: run_function(step, lanes, is_row); break;
    case OP_PRODUCT: run_product(step, lanes); break;
    case OP_NORMALIZE: run_normalize(step, lanes); break;
    case OP_FIND: run_find(step, lanes); break;
    case OP_BIN: run_bin(step, lanes); break;
    case OP_ONE_HOT: return run_one_hot(step, lanes);
    case OP_LOOKUP: return run_lookup(step, lanes);
    case OP_DOT:
        if (is_row)
            dot_row(step, lanes);
        else
            dot_rows(step, lanes);
        break;
    case OP_FOREST:
        if (is_row)
            forest_row(step, lanes);
        else
            forest_rows(step, lanes);
        break;
    case OP_SOFTMAX: run_softmax(step, lanes); break;
    case OP_INTERPOLATE: run_interpolate(step, lanes); break;
    case OP_AVERAGE: run_average(step, lanes); break;
    case OP_ARGMAX: run_argmax(step, lanes); break;
    case OP_VOTE: run_vote(step, lanes); break;
    default: run_elementwise(step, lanes, is_row);
    }
    return NONE_REFUSED;
}

/* Where the parts of the scratch lie: work, then slots, then what forests take. */
static uint64_t work_size(const struct pipeline *pipeline) {
    uint64_t work = pipeline->work, for_rows = 2ull * pipeline->block;
    if (work < for_rows) work = for_rows;
    if (work < pipeline->most_in) work = pipeline->most_in;
    return aligned(work * sizeof(double));
}

static struct lanes divide(const struct pipeline *pipeline, void *scratch, uint64_t stride) {
    char *work = scratch, *slots = work + work_size(pipeline);
    char *rest = slots + aligned(pipeline->header->n_slots * stride * sizeof(double));
    return (struct lanes){(double *)(void *)slots, stride, 1, (double *)(void *)work, rest};
}

uint64_t bareboat_pipeline_scratch(const void *memory, uint32_t for_rows) {
    const struct pipeline *pipeline = memory;
    uint64_t slots = pipeline->header->n_slots * (for_rows ? slot_stride(pipeline) : 1) * sizeof(double);
    return work_size(pipeline) + aligned(slots) + aligned(pipeline->forest_scratch);
}

static int has_class(const struct pipeline *pipeline, double label) {
    return label >= 0.0 && label < pipeline->header->n_classes;
}

uint32_t bareboat_pipeline_row(const void *memory, const double *row, double *out, void *scratch) {
    const struct pipeline *pipeline = memory;
    const struct pipeline_header *header = pipeline->header;
    const uint32_t *output = pipeline->at[OUTPUTS];
    struct lanes lanes = divide(pipeline, scratch, 1);
    uint32_t n_steps = header->n_steps;
    memcpy(lanes.slots, row, header->n_features * sizeof *row);
    for (uint32_t i = 0; i < n_steps; i++)
        if (run_step(pipeline->steps + i, &lanes, 1) != NONE_REFUSED) return i + 1;
    if (header->label != NO_LABEL) {
        double label = lanes.slots[header->label];
        if (!has_class(pipeline, label)) return n_steps + 1;
        out[header->n_outputs] = trunc(label);
    }
    for (uint32_t i = 0; i < header->n_outputs; i++) out[i] = lanes.slots[output[i]];
    return 0;
}

/* Read the columns that anyone reads. */
#define READ_COLUMNS(NAME, NUMBER)                                                                                   \
    static void NAME(const struct pipeline *pipeline, const char *rows, int64_t down, int64_t across,                \
                     const struct lanes *lanes) {                                                                    \
        for (uint32_t first = 0; first < lanes->n; first += PART)                                                    \
            for (uint32_t j = 0; j < pipeline->header->n_features; j++) {                                            \
                const char *at = rows + (int64_t)first * down + (int64_t)j * across;                                 \
                uint32_t end = lanes->n - first < PART ? lanes->n : first + PART;                                    \
                double *x = slot(lanes, j);                                                                          \
                if (pipeline->use[j] != SLOT_READ) continue;                                                       \
                for (uint32_t row = first; row < end; row++, at += down) {                                           \
                    NUMBER number;                                                                                   \
                    memcpy(&number, at, sizeof number);                                                              \
                    x[row] = (double)number;                                                                         \
                }                                                                                                    \
            }                                                                                                        \
    }

READ_COLUMNS(read_doubles, double)
READ_COLUMNS(read_singles, float)

/* The answers of a block; the first row whose label is none, or NONE_REFUSED. */
static int64_t write_answers(const struct pipeline *pipeline, const struct lanes *lanes, double *out) {
    const struct pipeline_header *header = pipeline->header;
    const uint32_t *outputs = pipeline->at[OUTPUTS];
    int has_label = header->label != NO_LABEL;
    uint64_t width = header->n_outputs + (uint64_t)has_label;
    for (uint32_t i = 0; i < header->n_outputs; i++) {
        const double *y = slot(lanes, outputs[i]);
        for (uint32_t row = 0; row < lanes->n; row++) out[row * width + i] = y[row];
    }
    for (uint32_t row = 0; has_label && row < lanes->n; row++) {
        double label = slot(lanes, header->label)[row];
        if (!has_class(pipeline, label)) return row;
        out[row * width + header->n_outputs] = trunc(label);
    }
    return NONE_REFUSED;
}

int64_t bareboat_pipeline_score(const void *memory, uint32_t number, const void *at, int64_t n_rows,
                                int64_t row_stride, int64_t column_stride, double *out, void *scratch) {
    const struct pipeline *pipeline = memory;
    const struct pipeline_header *header = pipeline->header;
    struct lanes lanes = divide(pipeline, scratch, slot_stride(pipeline));
    uint64_t width = header->n_outputs + (uint64_t)(header->label != NO_LABEL);
    for (int64_t first = 0; first < n_rows; first += pipeline->block) {
        const char *rows = (const char *)at + first * row_stride;
        int64_t refused = NONE_REFUSED;
        lanes.n = n_rows - first < pipeline->block ? (uint32_t)(n_rows - first) : pipeline->block;
        (number == BAREBOAT_FLOAT32 ? read_singles : read_doubles)(pipeline, rows, row_stride, column_stride, &lanes);
        for (uint32_t i = 0; i < header->n_steps && refused == NONE_REFUSED; i++)
            refused = run_step(pipeline->steps + i, &lanes, 0);
        if (refused == NONE_REFUSED) refused = write_answers(pipeline, &lanes, out + (uint64_t)first * width);
        if (refused != NONE_REFUSED) return first + refused;
    }
    return NONE_REFUSED;
}
