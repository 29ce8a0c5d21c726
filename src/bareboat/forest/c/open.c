/* A file from anywhere -> a forest whose every index has been checked, or an error. */
#include <math.h>
#include <string.h>

#include "file.h"
#include "kernel.h"

static const uint8_t ELEMENT_SIZE[N_TAGS + 1] = {
    [THRESHOLDS] = 8,      [THRESHOLD_START] = 4, [COLUMNS] = 4,        [LEAF_START] = 4,         [NODES] = 4,
    [LEAF_VALUES] = 8,     [CATEGORY_CODES] = 4,  [CATEGORY_START] = 4, [SET_START] = 4,          [SET_OFFSET] = 4,
    [SETS] = 1,            [LINEAR_CONSTANT] = 8, [LINEAR_START] = 4,   [LINEAR_FEATURE] = 4,     [LINEAR_COEFFICIENT] = 8,
    [NAMES] = 1,           [CATEGORY_NAMES] = 1};

struct range {
    uint32_t low, high;
};

static int32_t wrong(int32_t error, enum tag tag) { return error | (int32_t)tag << 8; }

uint32_t bareboat_abi(void) { return BAREBOAT_ABI; }

/* What can be said before any section is looked at. */
static int32_t check_header(const void *file, uint64_t size) {
    const struct header *header = file;
    if ((uintptr_t)file % 8) return BAREBOAT_MEMORY;
    if (size < sizeof *header + 8) return BAREBOAT_SHORT;
    if (memcmp(header->magic, "BBFOREST", 8)) return BAREBOAT_MAGIC;
    if (header->version != VERSION) return BAREBOAT_VERSION;
    if (header->size != size || size % 8) return BAREBOAT_SIZE;
    if (header->n_leaves > size / 8 || header->depth >= header->n_leaves) return BAREBOAT_HEADER;
    return BAREBOAT_OK;
}

int64_t bareboat_memory(const void *file, uint64_t size) {
    int32_t error = check_header(file, size);
    if (error) return -error;
    return (int64_t)(sizeof(struct forest) + (((const struct header *)file)->depth + 2ull) * sizeof(struct range));
}

static int32_t check_fields(const struct header *header) {
    uint32_t n_outputs = header->n_outputs, n_classes = header->n_classes;
    int classes_fit = n_classes == 0 || (n_classes == 2 && n_outputs == 1) || (n_classes >= 2 && n_classes == n_outputs);
    int fields_fit = header->transform <= SIGNED_SQUARE && header->flags <= (AVERAGE | TINY_IS_ZERO) && !header->zero;
    int counts_fit = header->n_features && header->n_features < 1u << MODE_SHIFT && n_outputs && header->n_trees &&
                     header->n_trees % n_outputs == 0 && header->n_trees <= header->n_leaves;
    return classes_fit && fields_fit && counts_fit && isfinite(header->parameter) ? BAREBOAT_OK : BAREBOAT_HEADER;
}

/* Find every section; those that are absent have count 0 and the address of the header, which is never read as theirs. */
static int32_t find_sections(struct forest *forest, uint64_t size) {
    const struct header *header = forest->header;
    const struct section *entry = (const void *)(header + 1);
    uint64_t end = sizeof *header + header->n_sections * sizeof *entry, last = size - 8;
    uint32_t previous = 0;
    if (end > last) return BAREBOAT_PLACE;
    for (uint32_t tag = 0; tag <= N_TAGS; tag++) forest->at[tag] = header;
    for (uint32_t i = 0; i < header->n_sections; i++, entry++) {
        uint32_t tag = entry->tag, known = tag >= THRESHOLDS && tag <= N_TAGS;
        uint64_t start = (uint64_t)entry->offset * 8, each = known ? ELEMENT_SIZE[tag] : 1;
        if (tag <= previous) return BAREBOAT_PLACE;
        previous = tag;
        if (!known && !(entry->flags & MAY_BE_SKIPPED)) return wrong(BAREBOAT_UNKNOWN, (enum tag)(tag & 0xff));
        if (entry->kind > (tag == NODES ? 2 : 0) && known) return wrong(BAREBOAT_UNKNOWN, (enum tag)tag);
        if (tag == NODES) each <<= entry->kind;
        if (start < end || start > last || entry->count > (last - start) / each)
            return wrong(BAREBOAT_PLACE, (enum tag)(tag & 0xff));
        end = start + entry->count * each;
        if (!known) continue;
        forest->at[tag] = (const char *)header + start;
        forest->count[tag] = entry->count;
        if (tag == NODES) forest->node_kind = entry->kind;
    }
    return BAREBOAT_OK;
}

/* Starts rise from 0 to `end`, and there are `count` of them. */
static int32_t check_starts(const struct forest *forest, enum tag tag, uint64_t count, uint32_t end) {
    const uint32_t *start = words(forest, tag);
    if (forest->count[tag] != count) return wrong(BAREBOAT_COUNT, tag);
    if (start[0] != 0 || start[count - 1] != end) return wrong(BAREBOAT_INDEX, tag);
    for (uint64_t i = 1; i < count; i++)
        if (start[i] < start[i - 1]) return wrong(BAREBOAT_ORDER, tag);
    return BAREBOAT_OK;
}

static int32_t check_finite(const struct forest *forest, enum tag tag) {
    const double *value = doubles(forest, tag);
    for (uint32_t i = 0; i < forest->count[tag]; i++)
        if (!isfinite(value[i])) return wrong(BAREBOAT_NUMBER, tag);
    return BAREBOAT_OK;
}

static int32_t check_thresholds(const struct forest *forest) {
    const uint32_t *start = words(forest, THRESHOLD_START);
    const double *threshold = doubles(forest, THRESHOLDS);
    uint32_t n_features = forest->header->n_features;
    int32_t error = check_starts(forest, THRESHOLD_START, (uint64_t)n_features + 1, forest->count[THRESHOLDS]);
    if (error) return error;
    for (uint32_t i = 0; i < forest->count[THRESHOLDS]; i++)
        if (isnan(threshold[i])) return wrong(BAREBOAT_NUMBER, THRESHOLDS);
    for (uint32_t feature = 0; feature < n_features; feature++)
        for (uint32_t i = start[feature] + 1; i < start[feature + 1]; i++)
            if (!(threshold[i - 1] < threshold[i])) return wrong(BAREBOAT_ORDER, THRESHOLDS);
    return BAREBOAT_OK;
}

/* Columns rise by feature and rule, the categorical ones last. */
static int32_t check_columns(struct forest *forest) {
    const uint32_t *column = words(forest, COLUMNS);
    uint32_t count = forest->count[COLUMNS];
    uint64_t previous = 0;
    forest->n_numeric = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t feature = column[i] & ((1u << MODE_SHIFT) - 1), rule = column[i] >> MODE_SHIFT;
        uint64_t key = (uint64_t)(rule == CATEGORY) << 32 | (uint64_t)feature << 4 | rule;
        if (feature >= forest->header->n_features || rule > CATEGORY) return wrong(BAREBOAT_INDEX, COLUMNS);
        if (i && key <= previous) return wrong(BAREBOAT_ORDER, COLUMNS);
        previous = key;
        if (rule == CATEGORY && forest->n_numeric == count) forest->n_numeric = i;
    }
    return BAREBOAT_OK;
}

static int32_t check_categories(const struct forest *forest) {
    static const enum tag TAGS[] = {CATEGORY_CODES, CATEGORY_START, SET_START, SET_OFFSET, SETS};
    const uint32_t *start = words(forest, CATEGORY_START), *code = words(forest, CATEGORY_CODES);
    uint32_t n_categorical = forest->count[COLUMNS] - forest->n_numeric;
    int32_t error;
    if (!n_categorical) {
        for (unsigned i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
            if (forest->count[TAGS[i]]) return wrong(BAREBOAT_COUNT, TAGS[i]);
        return BAREBOAT_OK;
    }
    if (!forest->count[SET_OFFSET]) return wrong(BAREBOAT_COUNT, SET_OFFSET);
    error = check_starts(forest, CATEGORY_START, (uint64_t)n_categorical + 1, forest->count[CATEGORY_CODES]);
    if (!error) error = check_starts(forest, SET_START, (uint64_t)forest->header->n_trees + 1, forest->count[SET_OFFSET] - 1);
    if (!error) error = check_starts(forest, SET_OFFSET, forest->count[SET_OFFSET], forest->count[SETS]);
    if (error) return error;
    for (uint32_t column = 0; column < n_categorical; column++)
        for (uint32_t i = start[column] + 1; i < start[column + 1]; i++)
            if (code[i - 1] >= code[i]) return wrong(BAREBOAT_ORDER, CATEGORY_CODES);
    return BAREBOAT_OK;
}

static int32_t check_linear(const struct forest *forest) {
    static const enum tag TAGS[] = {LINEAR_CONSTANT, LINEAR_START, LINEAR_FEATURE, LINEAR_COEFFICIENT};
    const uint32_t *feature = words(forest, LINEAR_FEATURE);
    uint32_t n_coefficients = forest->count[LINEAR_COEFFICIENT];
    int32_t error;
    if (!forest->count[LINEAR_START]) {
        for (unsigned i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
            if (forest->count[TAGS[i]]) return wrong(BAREBOAT_COUNT, TAGS[i]);
        return BAREBOAT_OK;
    }
    if (forest->count[LINEAR_CONSTANT] != forest->header->n_leaves) return wrong(BAREBOAT_COUNT, LINEAR_CONSTANT);
    if (forest->count[LINEAR_FEATURE] != n_coefficients) return wrong(BAREBOAT_COUNT, LINEAR_FEATURE);
    error = check_starts(forest, LINEAR_START, (uint64_t)forest->header->n_leaves + 1, n_coefficients);
    if (!error) error = check_finite(forest, LINEAR_CONSTANT);
    if (!error) error = check_finite(forest, LINEAR_COEFFICIENT);
    if (error) return error;
    for (uint32_t i = 0; i < n_coefficients; i++)
        if (feature[i] >= forest->header->n_features) return wrong(BAREBOAT_INDEX, LINEAR_FEATURE);
    return BAREBOAT_OK;
}

struct node {
    uint32_t column, cut, first, right;
};

/* Node `i` of a width that the compiler knows. */
static inline struct node node_at(const struct forest *forest, uint64_t i, uint32_t kind) {
    if (kind == 0) {
        const uint8_t *at = (const uint8_t *)forest->at[NODES] + 4 * i;
        return (struct node){at[COLUMN], at[CUT], at[FIRST], at[RIGHT]};
    }
    if (kind == 1) {
        const uint16_t *at = (const uint16_t *)forest->at[NODES] + 4 * i;
        return (struct node){at[COLUMN], at[CUT], at[FIRST], at[RIGHT]};
    }
    const uint32_t *at = (const uint32_t *)forest->at[NODES] + 4 * i;
    return (struct node){at[COLUMN], at[CUT], at[FIRST], at[RIGHT]};
}

/* The cut of a categorical node is a set of its tree, with no bit past the last code of its column. */
static int32_t check_set(const struct forest *forest, uint32_t tree, uint32_t column, uint32_t cut) {
    const uint32_t *set = words(forest, SET_START), *offset = words(forest, SET_OFFSET);
    const uint32_t *start = words(forest, CATEGORY_START) + (column - forest->n_numeric);
    uint32_t n_codes = start[1] - start[0], spare = n_codes % 8, at, width;
    if (cut >= set[tree + 1] - set[tree]) return wrong(BAREBOAT_INDEX, NODES);
    at = offset[set[tree] + cut];
    width = offset[set[tree] + cut + 1] - at;
    if (width > n_codes / 8 + (spare != 0)) return wrong(BAREBOAT_INDEX, SETS);
    if (spare && width == n_codes / 8 + 1 && bytes(forest, SETS)[at + width - 1] >> spare)
        return wrong(BAREBOAT_INDEX, SETS);
    return BAREBOAT_OK;
}

static inline int32_t check_node(const struct forest *forest, uint32_t tree, struct node node, struct range leaves) {
    const uint32_t *start = words(forest, THRESHOLD_START);
    uint32_t feature;
    if (node.first != leaves.low || node.right <= leaves.low || node.right >= leaves.high)
        return wrong(BAREBOAT_INDEX, NODES);
    if (node.column >= forest->count[COLUMNS]) return wrong(BAREBOAT_INDEX, NODES);
    if (node.column >= forest->n_numeric) return check_set(forest, tree, node.column, node.cut);
    feature = words(forest, COLUMNS)[node.column] & ((1u << MODE_SHIFT) - 1);
    return node.cut < start[feature + 1] - start[feature] ? BAREBOAT_OK : wrong(BAREBOAT_INDEX, NODES);
}

/* Nodes lie in preorder; each splits the leaves [low, high) at its `right`, so that ranges follow from ranges. What
 * waits on the stack is stored first and counted afterwards, which saves a branch that no CPU can foresee. */
static inline int32_t check_tree(const struct forest *forest, uint32_t tree, struct range *stack, uint32_t kind) {
    const uint32_t *start = words(forest, LEAF_START);
    uint64_t i = (uint64_t)start[tree] - tree;
    uint32_t n_leaves = start[tree + 1] - start[tree], depth = forest->header->depth, n_waiting = n_leaves > 1;
    stack[0] = (struct range){0, n_leaves};
    while (n_waiting) {
        struct node node = node_at(forest, i++, kind);
        struct range leaves = stack[n_waiting - 1];
        int32_t error = check_node(forest, tree, node, leaves);
        if (n_waiting > depth) error = wrong(BAREBOAT_HEADER, NODES);
        if (error) return error;
        stack[--n_waiting] = (struct range){node.right, leaves.high};
        n_waiting += leaves.high - node.right > 1;
        stack[n_waiting] = (struct range){leaves.low, node.right};
        n_waiting += node.right - leaves.low > 1;
    }
    return BAREBOAT_OK;
}

static int32_t check_trees(const struct forest *forest, struct range *stack) {
    const uint32_t *start = words(forest, LEAF_START);
    uint32_t n_trees = forest->header->n_trees, n_leaves = forest->header->n_leaves;
    int32_t error = check_starts(forest, LEAF_START, (uint64_t)n_trees + 1, n_leaves);
    if (error) return error;
    if (forest->count[NODES] != n_leaves - n_trees) return wrong(BAREBOAT_COUNT, NODES);
    if (forest->count[LEAF_VALUES] != n_leaves) return wrong(BAREBOAT_COUNT, LEAF_VALUES);
    for (uint32_t tree = 0; tree < n_trees; tree++)
        if (start[tree] == start[tree + 1]) return wrong(BAREBOAT_ORDER, LEAF_START);
    for (uint32_t tree = 0; tree < n_trees; tree++) {
        if (forest->node_kind == 0)
            error = check_tree(forest, tree, stack, 0);
        else
            error = forest->node_kind == 1 ? check_tree(forest, tree, stack, 1) : check_tree(forest, tree, stack, 2);
        if (error) return error;
    }
    return check_finite(forest, LEAF_VALUES);
}

int32_t bareboat_open(const void *file, uint64_t size, void *memory, uint64_t memory_size) {
    struct forest *forest = memory;
    int32_t error = check_header(file, size);
    uint64_t digest;
    if (error) return error;
    if ((uintptr_t)memory % 8 || memory_size < (uint64_t)bareboat_memory(file, size)) return BAREBOAT_MEMORY;
    memcpy(&digest, (const char *)file + size - 8, 8);
    if (digest != bareboat_digest(file, size - 8)) return BAREBOAT_DIGEST;
    *forest = (struct forest){.header = file};
    if ((error = check_fields(forest->header))) return error;
    forest->rounds = forest->header->n_trees / forest->header->n_outputs;
    if ((error = find_sections(forest, size))) return error;
    if ((error = check_thresholds(forest)) || (error = check_columns(forest))) return error;
    if ((error = check_categories(forest)) || (error = check_linear(forest))) return error;
    return check_trees(forest, (struct range *)(forest + 1));
}
