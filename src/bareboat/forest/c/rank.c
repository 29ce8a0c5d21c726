/* Rows of numbers -> values as the forest compares them -> ranks, one value after the other. */
#include "rank.h"

#include <math.h>
#include <string.h>

#include "kernel.h"

void read_row(const struct forest *forest, const struct rows *rows, int64_t i, double *value) {
    const char *at = rows->at + i * rows->row_stride;
    uint32_t n_features = forest->header->n_features;
    if (rows->number == BAREBOAT_FLOAT32) {
        for (uint32_t feature = 0; feature < n_features; feature++) {
            float number;
            memcpy(&number, at + (int64_t)feature * rows->column_stride, sizeof number);
            value[feature] = (double)number;
        }
    } else {
        for (uint32_t feature = 0; feature < n_features; feature++)
            memcpy(value + feature, at + (int64_t)feature * rows->column_stride, sizeof *value);
        if (has_flag(forest, SINGLE_INPUT))
            for (uint32_t feature = 0; feature < n_features; feature++) value[feature] = (double)(float)value[feature];
    }
    if (has_flag(forest, TINY_IS_ZERO))
        for (uint32_t feature = 0; feature < n_features; feature++)
            value[feature] = is_tiny(value[feature]) ? 0.0 : value[feature];
}

/* How many of n sorted thresholds lie below a value. */
#define RANK(NAME, TYPE)                                                                                             \
    static uint32_t NAME(const TYPE *threshold, uint32_t n, double value) {                                         \
        const TYPE *base = threshold;                                                                               \
        while (n > 1) {                                                                                             \
            uint32_t half = n / 2;                                                                                  \
            base = (double)base[half - 1] < value ? base + half : base;                                             \
            n -= half;                                                                                              \
        }                                                                                                           \
        return (uint32_t)(base - threshold) + (n && (double)*base < value);                                         \
    }

RANK(rank_double, double)
RANK(rank_single, float)

/* The place of a value among a column's n codes; n when it is none of them, n + 1 when it is NaN. */
uint32_t code_of(const uint32_t *code, uint32_t n, enum rule rule, double value) {
    uint32_t low = 0, high = n, wanted;
    if (isnan(value)) return n + 1;
    if (!(rule == CATEGORY ? value > -1.0 : value >= 0.0) || !(value < 2147483648.0)) return n;
    wanted = (uint32_t)(int32_t)value;
    if (rule == CATEGORY_WHOLE && (double)wanted != value) return n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (code[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && code[low] == wanted ? low : n;
}

uint32_t plain_rank(const struct forest *forest, uint32_t feature, double value) {
    const uint32_t *start = words(forest, THRESHOLD_START) + feature;
    uint32_t n = start[1] - start[0];
    if (forest->kind[THRESHOLDS]) return rank_single((const float *)forest->at[THRESHOLDS] + start[0], n, value);
    return rank_double(doubles(forest, THRESHOLDS) + start[0], n, value);
}

void rank_row(const struct forest *forest, const double *value, uint32_t *rank) {
    const uint32_t *column = words(forest, COLUMNS), *start = words(forest, THRESHOLD_START);
    uint32_t ranked = UINT32_MAX, plain = 0;
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        uint32_t feature = feature_of(column[i]), n = start[feature + 1] - start[feature];
        double number = value[feature];
        int is_nan = isnan(number) != 0;
        if (feature != ranked) plain = plain_rank(forest, feature, is_nan ? 0.0 : number);
        ranked = feature;
        switch (rule_of(column[i])) {
        case NAN_LEFT: rank[i] = is_nan ? 0 : plain; break;
        case NAN_RIGHT: rank[i] = is_nan ? n : plain; break;
        case ZERO_LEFT: rank[i] = is_nan || is_tiny(number) ? 0 : plain; break;
        case ZERO_RIGHT: rank[i] = is_nan || is_tiny(number) ? n : plain; break;
        default: rank[i] = plain;
        }
    }
    rank_categories(forest, value, rank);
}

void rank_categories(const struct forest *forest, const double *value, uint32_t *rank) {
    const uint32_t *column = words(forest, COLUMNS);
    for (uint32_t i = forest->n_numeric; i < forest->count[COLUMNS]; i++) {
        const uint32_t *codes = words(forest, CATEGORY_START) + (i - forest->n_numeric);
        rank[i] = code_of(words(forest, CATEGORY_CODES) + codes[0], codes[1] - codes[0], rule_of(column[i]),
                          value[feature_of(column[i])]);
    }
}
