/* Columns, leaves and statistics of a file: whether every number and index is what it may be. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "kernel.h"

BEGIN_SMALL

int32_t check_starts(const struct forest *forest, enum tag tag, uint64_t count, uint32_t end) {
    const uint32_t *start = words(forest, tag);
    if (forest->count[tag] != count) return wrong(BAREBOAT_COUNT, tag);
    if (start[0] != 0 || start[count - 1] != end) return wrong(BAREBOAT_INDEX, tag);
    for (uint64_t i = 1; i < count; i++)
        if (start[i] < start[i - 1]) return wrong(BAREBOAT_ORDER, tag);
    return BAREBOAT_OK;
}

/* Without a branch in the loops, so that a compiler may take many numbers at once. */
int32_t check_numbers(const struct forest *forest, enum tag tag, double least) {
    uint32_t n_good = 0, count = forest->count[tag];
    if (forest->kind[tag]) {
        const float *value = forest->at[tag];
        for (uint32_t i = 0; i < count; i++) n_good += (value[i] >= least) & (value[i] <= FLT_MAX);
    } else {
        const double *value = forest->at[tag];
        for (uint32_t i = 0; i < count; i++) n_good += (value[i] >= least) & (value[i] <= DBL_MAX);
    }
    return n_good == count ? BAREBOAT_OK : wrong(BAREBOAT_NUMBER, tag);
}

static int32_t check_absent(const struct forest *forest, const enum tag *tag, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (forest->count[tag[i]]) return wrong(BAREBOAT_COUNT, tag[i]);
    return BAREBOAT_OK;
}

static int32_t check_thresholds(const struct forest *forest) {
    const uint32_t *start = words(forest, THRESHOLD_START);
    uint32_t n_features = forest->header->n_features, count = forest->count[THRESHOLDS];
    int32_t error = check_starts(forest, THRESHOLD_START, (uint64_t)n_features + 1, count);
    if (error) return error;
    if (has_flag(forest, SINGLE_INPUT) && count && !forest->kind[THRESHOLDS])
        return wrong(BAREBOAT_NUMBER, THRESHOLDS);
    for (uint32_t i = 0; i < count; i++)
        if (isnan(number_at(forest, THRESHOLDS, i))) return wrong(BAREBOAT_NUMBER, THRESHOLDS);
    for (uint32_t feature = 0; feature < n_features; feature++)
        for (uint32_t i = start[feature] + 1; i < start[feature + 1]; i++)
            if (!(number_at(forest, THRESHOLDS, i - 1) < number_at(forest, THRESHOLDS, i)))
                return wrong(BAREBOAT_ORDER, THRESHOLDS);
    return BAREBOAT_OK;
}

/* Columns rise by feature and rule, the categorical ones last. */
static int32_t check_rules(struct forest *forest) {
    const uint32_t *column = words(forest, COLUMNS);
    uint32_t count = forest->count[COLUMNS], last = forest->header->version == 1 ? CATEGORY : CATEGORY_WHOLE;
    uint64_t previous = 0;
    forest->n_numeric = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t feature = feature_of(column[i]), rule = column[i] >> MODE_SHIFT;
        uint64_t key = (uint64_t)(rule >= CATEGORY) << 32 | (uint64_t)feature << 4 | rule;
        if (feature >= forest->header->n_features || rule > last) return wrong(BAREBOAT_INDEX, COLUMNS);
        if (i && key <= previous) return wrong(BAREBOAT_ORDER, COLUMNS);
        previous = key;
        if (rule >= CATEGORY && forest->n_numeric == count) forest->n_numeric = i;
    }
    return BAREBOAT_OK;
}

static int32_t check_categories(const struct forest *forest) {
    static const enum tag TAGS[] = {CATEGORY_CODES, CATEGORY_START, SET_START, SET_OFFSET, SETS};
    const uint32_t *start = words(forest, CATEGORY_START), *code = words(forest, CATEGORY_CODES);
    uint32_t n_categorical = forest->count[COLUMNS] - forest->n_numeric, n_sets = forest->count[SET_OFFSET];
    int32_t error;
    if (!n_categorical) return check_absent(forest, TAGS, sizeof TAGS / sizeof *TAGS);
    if (!n_sets) return wrong(BAREBOAT_COUNT, SET_OFFSET);
    error = check_starts(forest, CATEGORY_START, (uint64_t)n_categorical + 1, forest->count[CATEGORY_CODES]);
    if (!error) error = check_starts(forest, SET_START, (uint64_t)forest->header->n_trees + 1, n_sets - 1);
    if (!error) error = check_starts(forest, SET_OFFSET, n_sets, forest->count[SETS]);
    if (error) return error;
    for (uint32_t column = 0; column < n_categorical; column++)
        for (uint32_t i = start[column] + 1; i < start[column + 1]; i++)
            if (code[i - 1] >= code[i]) return wrong(BAREBOAT_ORDER, CATEGORY_CODES);
    return BAREBOAT_OK;
}

int32_t check_columns(struct forest *forest) {
    int32_t error = check_thresholds(forest);
    if (!error) error = check_rules(forest);
    return error ? error : check_categories(forest);
}

/* Where sums start, which output each tree adds to, and how many parameters the transform has. */
static int32_t check_outputs(const struct forest *forest) {
    const struct header *header = forest->header;
    const double *base = doubles(forest, BASE);
    uint32_t n_outputs = header->n_outputs, n_given = forest->count[TREE_OUTPUT];
    if (forest->count[BASE] && forest->count[BASE] != n_outputs) return wrong(BAREBOAT_COUNT, BASE);
    if (forest->count[PARAMETERS] != (header->transform == ISOLATION)) return wrong(BAREBOAT_COUNT, PARAMETERS);
    if (n_given && (n_given != header->n_trees || has_flag(forest, VECTOR_LEAVES)))
        return wrong(BAREBOAT_COUNT, TREE_OUTPUT);
    for (uint32_t tree = 0; tree < n_given; tree++)
        if (words(forest, TREE_OUTPUT)[tree] >= n_outputs) return wrong(BAREBOAT_INDEX, TREE_OUTPUT);
    if (check_numbers(forest, BASE, -DBL_MAX)) return wrong(BAREBOAT_NUMBER, BASE);
    if (has_flag(forest, SINGLE_SUM))
        for (uint32_t i = 0; i < forest->count[BASE]; i++)
            if (fabs(base[i]) > FLT_MAX || base[i] != (double)(float)base[i]) return wrong(BAREBOAT_NUMBER, BASE);
    return check_numbers(forest, PARAMETERS, -DBL_MAX);
}

/* A leaf has its own numbers, or the row of leaf_values that it shares with others. */
static int32_t check_values(const struct forest *forest) {
    uint64_t n_leaves = forest->header->n_leaves, width = forest->leaf_width, n_values = forest->count[LEAF_VALUES];
    uint32_t n_given = forest->count[LEAF_ROW], n_outside = 0;
    if (n_given) {
        if (n_given != n_leaves) return wrong(BAREBOAT_COUNT, LEAF_ROW);
        if (n_values % width) return wrong(BAREBOAT_COUNT, LEAF_VALUES);
        for (uint64_t leaf = 0; leaf < n_leaves; leaf++)
            n_outside += integer_at(forest, LEAF_ROW, leaf) >= n_values / width;
        if (n_outside) return wrong(BAREBOAT_INDEX, LEAF_ROW);
    } else if (n_values != n_leaves * width) {
        return wrong(BAREBOAT_COUNT, LEAF_VALUES);
    }
    if (has_flag(forest, SINGLE_SUM) && !forest->kind[LEAF_VALUES]) return wrong(BAREBOAT_NUMBER, LEAF_VALUES);
    return check_numbers(forest, LEAF_VALUES, -DBL_MAX);
}

static int32_t check_linear(const struct forest *forest) {
    static const enum tag TAGS[] = {LINEAR_CONSTANT, LINEAR_START, LINEAR_FEATURE, LINEAR_COEFFICIENT};
    const uint32_t *feature = words(forest, LINEAR_FEATURE);
    uint32_t n_coefficients = forest->count[LINEAR_COEFFICIENT];
    int32_t error;
    if (!forest->count[LINEAR_START]) return check_absent(forest, TAGS, sizeof TAGS / sizeof *TAGS);
    if (has_flag(forest, SINGLE_SUM) || has_flag(forest, VECTOR_LEAVES)) return wrong(BAREBOAT_HEADER, LINEAR_START);
    if (forest->count[LINEAR_CONSTANT] != forest->header->n_leaves) return wrong(BAREBOAT_COUNT, LINEAR_CONSTANT);
    if (forest->count[LINEAR_FEATURE] != n_coefficients) return wrong(BAREBOAT_COUNT, LINEAR_FEATURE);
    error = check_starts(forest, LINEAR_START, (uint64_t)forest->header->n_leaves + 1, n_coefficients);
    if (!error) error = check_numbers(forest, LINEAR_CONSTANT, -DBL_MAX);
    if (!error) error = check_numbers(forest, LINEAR_COEFFICIENT, -DBL_MAX);
    if (error) return error;
    for (uint32_t i = 0; i < n_coefficients; i++)
        if (feature[i] >= forest->header->n_features) return wrong(BAREBOAT_INDEX, LINEAR_FEATURE);
    return BAREBOAT_OK;
}

/* Covers are divided by each other where predictions are explained; ids and gains are looked up only. */
static int32_t check_statistics(const struct forest *forest) {
    static const enum tag TAGS[] = {LEAF_ID, LEAF_COVER, SPLIT_COVER, SPLIT_GAIN};
    uint32_t n_leaves = forest->header->n_leaves, n_splits = n_leaves - forest->header->n_trees;
    for (unsigned i = 0; i < sizeof TAGS / sizeof *TAGS; i++) {
        enum tag tag = TAGS[i];
        uint32_t count = forest->count[tag];
        if (count && count != (tag == LEAF_ID || tag == LEAF_COVER ? n_leaves : n_splits))
            return wrong(BAREBOAT_COUNT, tag);
        if (tag != LEAF_ID && forest->kind[tag] < 2) {
            int32_t error = check_numbers(forest, tag, tag == SPLIT_GAIN ? -DBL_MAX : 0.0);
            if (error) return error;
        }
    }
    return BAREBOAT_OK;
}

int32_t check_leaves(const struct forest *forest) {
    int32_t error = check_outputs(forest);
    if (!error) error = check_values(forest);
    if (!error) error = check_linear(forest);
    return error ? error : check_statistics(forest);
}

END_SMALL
