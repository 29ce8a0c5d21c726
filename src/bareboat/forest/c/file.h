/* The .forest file as C sees it, and what bareboat_open makes of it. Inside the kernel only. */
#ifndef BAREBOAT_FILE_H
#define BAREBOAT_FILE_H

#include <stdint.h>

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

/* The start of the caller's `forest`: where each section lies, checked. What paths add follows it. */
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
};

_Static_assert(sizeof(struct header) == 56, "the header has 56 bytes");
_Static_assert(sizeof(struct section) == 12, "a section's entry has 12 bytes");

static inline const double *doubles(const struct forest *forest, enum tag tag) { return forest->at[tag]; }
static inline const uint32_t *words(const struct forest *forest, enum tag tag) { return forest->at[tag]; }
static inline const uint8_t *bytes(const struct forest *forest, enum tag tag) { return forest->at[tag]; }

#endif
