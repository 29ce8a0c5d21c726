/* A checked forest and rows -> raw scores and outputs. */
#include <math.h>
#include <string.h>

#include "file.h"
#include "kernel.h"

/* float32(1e-35), within which LightGBM reads a value as 0.0: kZeroThreshold in include/LightGBM/meta.h. */
static const double TINY = 1.0000000180025095e-35;


static int is_tiny(double value) { return value >= -TINY && value <= TINY; }

/* Value `feature` of a row, at any address. */
static double load(const struct forest *forest, const char *row, int64_t column_stride, uint32_t feature) {
    double value;
    memcpy(&value, row + (int64_t)feature * column_stride, sizeof value);
    return forest->header->flags & TINY_IS_ZERO && is_tiny(value) ? 0.0 : value;
}

/* How many of n sorted thresholds lie below a value. */
static uint32_t rank_of(const double *threshold, uint32_t n, double value) {
    const double *base = threshold;
    while (n > 1) {
        uint32_t half = n / 2;
        base = base[half - 1] < value ? base + half : base;
        n -= half;
    }
    return (uint32_t)(base - threshold) + (n && *base < value);
}

/* The place of a value among a column's codes, or their number when it is none of them. */
static uint32_t code_of(const uint32_t *code, uint32_t n, double value) {
    uint32_t low = 0, high = n, wanted;
    if (!(value > -1.0 && value < 2147483648.0)) return n;
    wanted = (uint32_t)(int32_t)value;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (code[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && code[low] == wanted ? low : n;
}

/* Rank one row: (n_columns) into `rank`. */
static void rank_row(const struct forest *forest, const char *row, int64_t column_stride, uint32_t *rank) {
    const uint32_t *column = words(forest, COLUMNS), *start = words(forest, THRESHOLD_START);
    const uint32_t *code_start = words(forest, CATEGORY_START);
    uint32_t ranked = UINT32_MAX, plain = 0, n = 0;
    double value = 0.0;
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        uint32_t feature = column[i] & ((1u << MODE_SHIFT) - 1);
        int is_nan;
        if (feature != ranked) {
            value = load(forest, row, column_stride, feature);
            n = start[feature + 1] - start[feature];
            plain = rank_of(doubles(forest, THRESHOLDS) + start[feature], n, isnan(value) ? 0.0 : value);
            ranked = feature;
        }
        is_nan = isnan(value) != 0;
        switch ((enum rule)(column[i] >> MODE_SHIFT)) {
        case NAN_LEFT: rank[i] = is_nan ? 0 : plain; break;
        case NAN_RIGHT: rank[i] = is_nan ? n : plain; break;
        case ZERO_LEFT: rank[i] = is_nan || is_tiny(value) ? 0 : plain; break;
        case ZERO_RIGHT: rank[i] = is_nan || is_tiny(value) ? n : plain; break;
        default: rank[i] = plain;
        }
    }
    for (uint32_t i = forest->n_numeric; i < forest->count[COLUMNS]; i++) {
        const uint32_t *codes = code_start + (i - forest->n_numeric);
        uint32_t feature = column[i] & ((1u << MODE_SHIFT) - 1);
        rank[i] = code_of(words(forest, CATEGORY_CODES) + codes[0], codes[1] - codes[0],
                          load(forest, row, column_stride, feature));
    }
}

/* Whether a dense code is not in the set number `set` of the forest. */
static int is_outside(const struct forest *forest, uint32_t set, uint32_t code) {
    const uint32_t *offset = words(forest, SET_OFFSET) + set;
    if (code / 8 >= offset[1] - offset[0]) return 1;
    return !(bytes(forest, SETS)[offset[0] + code / 8] >> code % 8 & 1);
}

/* Walk one tree: the left branch of a node follows it, the right one follows the left one's splits. */
#define WALK(NAME, TYPE)                                                                                             \
    static uint32_t NAME(const struct forest *forest, uint64_t first, uint32_t first_set, uint32_t n_leaves,        \
                         const uint32_t *rank) {                                                                    \
        const TYPE *node = (const TYPE *)forest->at[NODES] + 4 * first;                                             \
        uint32_t low = 0, high = n_leaves;                                                                          \
        while (high - low > 1) {                                                                                    \
            uint32_t column = node[COLUMN], cut = node[CUT], split = node[RIGHT];                                   \
            int right = column < forest->n_numeric ? rank[column] > cut                                             \
                                                   : is_outside(forest, first_set + cut, rank[column]);             \
            node += right ? 4 * (uint64_t)(split - low) : 4;                                                        \
            high = right ? high : split;                                                                            \
            low = right ? split : low;                                                                              \
        }                                                                                                           \
        return low;                                                                                                 \
    }

WALK(walk_8, uint8_t)
WALK(walk_16, uint16_t)
WALK(walk_32, uint32_t)

/* constant + sum of coefficient * value, in this order; the plain leaf value where a value is NaN. */
static double linear_value(const struct forest *forest, uint32_t leaf, const char *row, int64_t column_stride) {
    const uint32_t *start = words(forest, LINEAR_START) + leaf, *feature = words(forest, LINEAR_FEATURE);
    const double *coefficient = doubles(forest, LINEAR_COEFFICIENT);
    double score = doubles(forest, LINEAR_CONSTANT)[leaf];
    for (uint32_t i = start[0]; i < start[1]; i++) {
        double value = load(forest, row, column_stride, feature[i]);
        if (isnan(value)) return doubles(forest, LEAF_VALUES)[leaf];
        score += coefficient[i] * value;
    }
    return score;
}

static void raw_row(const struct forest *forest, const char *row, int64_t column_stride, double *out, uint32_t *rank) {
    const uint32_t *start = words(forest, LEAF_START), *set_start = words(forest, SET_START);
    const double *value = doubles(forest, LEAF_VALUES);
    uint32_t n_trees = forest->header->n_trees, n_outputs = forest->header->n_outputs, output = 0;
    int is_linear = forest->count[LINEAR_START] != 0, has_sets = forest->count[SET_START] != 0;
    rank_row(forest, row, column_stride, rank);
    for (uint32_t i = 0; i < n_outputs; i++) out[i] = 0.0;
    for (uint32_t tree = 0; tree < n_trees; tree++) {
        uint64_t first = (uint64_t)start[tree] - tree;
        uint32_t n_leaves = start[tree + 1] - start[tree], set = has_sets ? set_start[tree] : 0, leaf = start[tree];
        if (forest->node_kind == 0)
            leaf += walk_8(forest, first, set, n_leaves, rank);
        else if (forest->node_kind == 1)
            leaf += walk_16(forest, first, set, n_leaves, rank);
        else
            leaf += walk_32(forest, first, set, n_leaves, rank);
        out[output] += is_linear ? linear_value(forest, leaf, row, column_stride) : value[leaf];
        if (++output == n_outputs) output = 0;
    }
}

static void softmax(double *out, uint32_t n) {
    double top = out[0], total = 0.0;
    for (uint32_t i = 1; i < n; i++) top = out[i] < top ? top : out[i];
    for (uint32_t i = 0; i < n; i++) total += out[i] = exp(out[i] - top);
    for (uint32_t i = 0; i < n; i++) out[i] /= total;
}

static double transformed(const struct header *header, double score) {
    switch ((enum transform)header->transform) {
    case SIGMOID: return 1.0 / (1.0 + exp(-header->parameter * score));
    case EXP: return exp(score);
    case LOG1P_EXP: return log1p(exp(score));
    case SIGNED_SQUARE: return (double)((score > 0) - (score < 0)) * score * score;
    default: return score;
    }
}

static void transform_row(const struct forest *forest, double *out) {
    const struct header *header = forest->header;
    if (header->flags & AVERAGE)
        for (uint32_t i = 0; i < header->n_outputs; i++) out[i] /= forest->rounds;
    if (header->transform == SOFTMAX)
        softmax(out, header->n_outputs);
    else
        for (uint32_t i = 0; i < header->n_outputs; i++) out[i] = transformed(header, out[i]);
}

uint64_t bareboat_scratch(const void *memory) {
    const struct forest *forest = memory;
    return ((uint64_t)forest->count[COLUMNS] * sizeof(uint32_t) + 15) & ~7ull;
}

void bareboat_raw_row(const void *forest, const double *row, double *out, void *scratch) {
    raw_row(forest, (const char *)row, sizeof *row, out, scratch);
}

void bareboat_predict_row(const void *forest, const double *row, double *out, void *scratch) {
    raw_row(forest, (const char *)row, sizeof *row, out, scratch);
    transform_row(forest, out);
}

void bareboat_raw(const void *memory, const void *rows, int64_t n_rows, int64_t row_stride, int64_t column_stride,
                  double *out, void *scratch) {
    const struct forest *forest = memory;
    for (int64_t i = 0; i < n_rows; i++, out += forest->header->n_outputs)
        raw_row(forest, (const char *)rows + i * row_stride, column_stride, out, scratch);
}

void bareboat_predict(const void *memory, const void *rows, int64_t n_rows, int64_t row_stride, int64_t column_stride,
                      double *out, void *scratch) {
    const struct forest *forest = memory;
    for (int64_t i = 0; i < n_rows; i++, out += forest->header->n_outputs) {
        raw_row(forest, (const char *)rows + i * row_stride, column_stride, out, scratch);
        transform_row(forest, out);
    }
}
