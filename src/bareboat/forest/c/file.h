/* The .forest file as C sees it, and what bareboat_open makes of it. Inside the kernel only. */
#ifndef BAREBOAT_FILE_H
#define BAREBOAT_FILE_H

#include <stdint.h>

/* Between these, code that is called seldom is made small. */
#if defined(__clang__)
#define BEGIN_SMALL _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define END_SMALL _Pragma("clang attribute pop")
#else
#define BEGIN_SMALL
#define END_SMALL
#endif

enum { VERSION = 2, FIRST_VERSION_TAGS = 17, N_TAGS = 26 };

enum tag {
    THRESHOLDS = 1,
    THRESHOLD_START,
    COLUMNS,
    LEAF_START,
    NODES,
    LEAF_VALUES,
    CATEGORY_CODES,
    CATEGORY_START,
    SET_START,
    SET_OFFSET,
    SETS,
    LINEAR_CONSTANT,
    LINEAR_START,
    LINEAR_FEATURE,
    LINEAR_COEFFICIENT,
    NAMES,
    CATEGORY_NAMES,
    BASE,
    TREE_OUTPUT,
    PARAMETERS,
    LEAF_ROW,
    CLASS_NAMES,
    LEAF_ID,
    LEAF_COVER,
    SPLIT_COVER,
    SPLIT_GAIN
};

enum rule {
    MISSING_IS_ZERO,
    NAN_LEFT,
    NAN_RIGHT,
    ZERO_LEFT,
    ZERO_RIGHT,
    CATEGORY,
    CATEGORY_NOT_NEGATIVE,
    CATEGORY_WHOLE
};
enum transform {
    IDENTITY, SIGMOID, SOFTMAX, EXP, LOG1P_EXP, SIGNED_SQUARE, STEP, ISOLATION, SAMME, LOGISTIC
};
enum flag { AVERAGE = 1, TINY_IS_ZERO = 2, SINGLE_INPUT = 4, SINGLE_SUM = 8, VECTOR_LEAVES = 16 };
enum { MODE_SHIFT = 24, MAY_BE_SKIPPED = 1 };

struct header {
    char magic[8];
    uint16_t version, n_sections;
    uint8_t transform, flags;
    uint16_t trees_per_round; /* 0: n_outputs, or 1 when leaves are vectors */
    uint64_t size;
    uint32_t n_features, n_trees, n_outputs, n_classes, depth, n_leaves;
    double parameter;
};

struct section {
    uint16_t tag;
    uint8_t kind, flags;
    uint32_t offset; /* in units of 8 bytes from the start of the file */
    uint32_t count;  /* of elements */
};

/* A node is four numbers of 1, 2 or 4 bytes by the kind of its section. */
enum field { COLUMN, CUT, FIRST, RIGHT };

/* Tables that the paths build for themselves in the caller's memory; paths.h says how. */
enum table { BATCH_TABLE, ROW_TABLE, SHAP_TABLE, N_TABLES };

/* The start of the caller's `forest`: where each section lies, checked. The paths' tables follow it. */
struct forest {
    const struct header *header;
    const void *at[N_TAGS + 1];
    uint32_t count[N_TAGS + 1];
    uint8_t kind[N_TAGS + 1];
    uint32_t path;
    uint32_t n_numeric;       /* columns before the first categorical one */
    uint32_t leaf_width;      /* 1, or n_outputs when leaves are vectors */
    uint32_t trees_per_round; /* never 0 */
    double rounds;
    void *table[N_TABLES];    /* 64-aligned, or NULL where a path has none */
};

/* A node, widened. */
struct node {
    uint32_t column, cut, first, right;
};

_Static_assert(sizeof(struct header) == 56, "the header has 56 bytes");
_Static_assert(sizeof(struct section) == 12, "a section's entry has 12 bytes");

static inline const double *doubles(const struct forest *forest, enum tag tag) { return forest->at[tag]; }
static inline const uint32_t *words(const struct forest *forest, enum tag tag) { return forest->at[tag]; }
static inline const uint8_t *bytes(const struct forest *forest, enum tag tag) { return forest->at[tag]; }

static inline int has_flag(const struct forest *forest, enum flag flag) { return (forest->header->flags & flag) != 0; }

/* Number `i` of a section of float64 (kind 0) or float32 (kind 1). */
static inline double number_at(const struct forest *forest, enum tag tag, uint64_t i) {
    return forest->kind[tag] ? (double)((const float *)forest->at[tag])[i] : ((const double *)forest->at[tag])[i];
}

/* Integer `i` of a section of u8, u16 or u32 (kinds 0, 1 and 2). */
static inline uint32_t integer_at(const struct forest *forest, enum tag tag, uint64_t i) {
    if (forest->kind[tag] == 0) return ((const uint8_t *)forest->at[tag])[i];
    if (forest->kind[tag] == 1) return ((const uint16_t *)forest->at[tag])[i];
    return ((const uint32_t *)forest->at[tag])[i];
}

/* Node `i` of those at `nodes`, of a kind that the compiler knows where it is a constant. Who writes numbers in
 * between takes the address out of the forest before, or it is read anew for each node. */
static inline struct node node_in(const void *nodes, uint64_t i, uint32_t kind) {
    const uint8_t *narrow = (const uint8_t *)nodes + 4 * i;
    const uint16_t *wide = (const uint16_t *)nodes + 4 * i;
    const uint32_t *widest = (const uint32_t *)nodes + 4 * i;
    if (kind == 0) return (struct node){narrow[COLUMN], narrow[CUT], narrow[FIRST], narrow[RIGHT]};
    if (kind == 1) return (struct node){wide[COLUMN], wide[CUT], wide[FIRST], wide[RIGHT]};
    return (struct node){widest[COLUMN], widest[CUT], widest[FIRST], widest[RIGHT]};
}

static inline struct node node_at(const struct forest *forest, uint64_t i, uint32_t kind) {
    return node_in(forest->at[NODES], i, kind);
}

static inline uint32_t feature_of(uint32_t column) { return column & ((1u << MODE_SHIFT) - 1); }
static inline enum rule rule_of(uint32_t column) { return (enum rule)(column >> MODE_SHIFT); }

/* The row of `leaf_values` that holds a leaf of the forest; it has leaf_width numbers. */
static inline uint64_t leaf_row(const struct forest *forest, uint64_t leaf) {
    return forest->count[LEAF_ROW] ? integer_at(forest, LEAF_ROW, leaf) : leaf;
}

/* The output that a tree with plain leaves adds to. */
static inline uint32_t tree_output(const struct forest *forest, uint32_t tree) {
    return forest->count[TREE_OUTPUT] ? words(forest, TREE_OUTPUT)[tree] : tree % forest->header->n_outputs;
}

#endif
