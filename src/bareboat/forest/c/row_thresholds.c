/* Sorted thresholds -> levels of 16, so that a rank takes one look of 16 lanes a level instead of a search. */
#include <math.h>
#include <string.h>

#include "row_table.h"

enum { MOST_THRESHOLDS = 1 << 17 }; /* more are searched where they lie: copying them would slow down opening */

/* A column of n thresholds takes n + n / 16 + n / 256 + ... numbers, each level rounded up. */
uint64_t thresholds_room(const struct forest *forest) {
    uint64_t n_columns = forest->count[COLUMNS], n = forest->count[THRESHOLDS];
    if (n > MOST_THRESHOLDS || n_columns > MOST_THRESHOLDS) return 0;
    /* Each rule of a feature has a column, but not more than one copy of the feature's thresholds. */
    return n_columns * sizeof(struct rank_column) + 64 + (n + n / 15 + n_columns * MOST_LEVELS * FANOUT) * sizeof(double) + 64;
}

/* Lay out the levels of one feature from `at` on; return their length. */
static uint32_t build_levels(const struct forest *forest, uint32_t start, uint32_t n, struct rank_column *column,
                             double *thresholds, uint32_t at) {
    uint32_t stride = 1;
    column->levels = 1;
    while (n / stride >= FANOUT) {
        stride *= FANOUT;
        column->levels++;
    }
    for (uint32_t level = 0; level < column->levels; level++, stride /= FANOUT) {
        uint32_t n_here = n / stride / FANOUT * FANOUT + FANOUT;
        column->level[level] = at;
        for (uint32_t i = 0; i < n_here; i++, at++) {
            uint64_t source = (uint64_t)(i + 1) * stride - 1;
            thresholds[at] = source < n ? number_at(forest, THRESHOLDS, start + source) : INFINITY;
        }
    }
    return at;
}

/* The rank of a value that is missing by the column's rule. */
static uint32_t missing_rank(const struct forest *forest, enum rule rule, uint32_t start, uint32_t n) {
    uint32_t below = 0;
    if (rule == NAN_RIGHT || rule == ZERO_RIGHT) return n;
    if (rule != MISSING_IS_ZERO) return 0;
    while (below < n && number_at(forest, THRESHOLDS, start + below) < 0.0) below++;
    return below;
}

int build_thresholds(const struct forest *forest, struct row_table *table, struct room *room) {
    const uint32_t *column = words(forest, COLUMNS), *start = words(forest, THRESHOLD_START);
    struct rank_column *columns = take(room, forest->n_numeric * sizeof *columns);
    double *thresholds = (double *)room->at;
    uint32_t at = 0;
    if (!columns) return 0;
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        uint32_t feature = feature_of(column[i]), n = start[feature + 1] - start[feature];
        enum rule rule = rule_of(column[i]);
        if (n >= 1u << 16 || room->left < (at + n + n / 15 + MOST_LEVELS * FANOUT) * sizeof *thresholds) return 0;
        columns[i].feature = feature;
        columns[i].missing = missing_rank(forest, rule, start[feature], n);
        columns[i].zero_is_missing = rule == ZERO_LEFT || rule == ZERO_RIGHT;
        if (i && columns[i - 1].feature == feature) {
            columns[i].levels = columns[i - 1].levels;
            memcpy(columns[i].level, columns[i - 1].level, sizeof columns->level);
        } else {
            at = build_levels(forest, start[feature], n, columns + i, thresholds, at);
        }
    }
    if (!take(room, at * sizeof *thresholds)) return 0;
    table->columns = columns;
    table->thresholds = thresholds;
    return 1;
}
