/* The .pipeline file as C sees it, and what bareboat_pipeline_open makes of it. Inside the kernel only. */
#ifndef BAREBOAT_PIPELINE_FILE_H
#define BAREBOAT_PIPELINE_FILE_H

#include <stdint.h>

enum { PIPELINE_VERSION = 1, PIPELINE_SECTIONS = 9, PIPELINE_SKIP = 1, FILE_ALIGNMENT = 64 };
static const uint32_t NO_LABEL = 0xffffffffu;

enum pipeline_tag { STEPS = 1, INPUTS, NUMBERS, WHOLE, OUTPUTS, FORESTS, FOREST_FILES, PIPELINE_NAMES, ABOUT };

enum pipeline_kind { KIND_PROBA, KIND_DECISION, KIND_LABEL, KIND_VALUE };

/* src/bareboat/pipeline/ir.py says what each does. */
enum op {
    OP_COPY, OP_ADD, OP_SUBTRACT, OP_REVERSE, OP_MULTIPLY, OP_DIVIDE, OP_CLIP, OP_REPLACE, OP_MATCHES, OP_GREATER,
    OP_FUNCTION, OP_PRODUCT, OP_NORMALIZE, OP_FIND, OP_BIN, OP_ONE_HOT, OP_LOOKUP, OP_DOT, OP_FOREST, OP_SOFTMAX,
    OP_INTERPOLATE, OP_AVERAGE, OP_ARGMAX, OP_VOTE, N_OPS
};

enum function {
    F_ABSOLUTE, F_SQRT, F_EXP, F_EXPM1, F_LOG, F_LOG1P, F_LOG2, F_LOG10, F_SQUARE, F_RECIPROCAL, F_NEGATIVE, F_SIGN,
    F_FLOOR, F_CEIL, F_RINT, F_TRUNC, F_SIN, F_COS, F_TAN, F_ARCSIN, F_ARCCOS, F_ARCTAN, F_SINH, F_COSH, F_TANH,
    F_ARCSINH, F_ARCCOSH, F_ARCTANH, F_CBRT, F_EXP2, F_EXPIT, F_DEG2RAD, F_RAD2DEG, N_FUNCTIONS
};

struct forest; /* file.h of the forest */

/* What is known of a slot. */
enum use { SLOT_UNKNOWN, SLOT_WRITTEN, SLOT_READ };

enum place { PLACE_ABSENT = -1, PLACE_REFUSED = -2 };

struct pipeline_header {
    char magic[8];
    uint16_t version, n_sections;
    uint8_t kind, zero_1;
    uint16_t zero_2;
    uint64_t size;
    uint32_t n_features, n_slots, n_steps, n_outputs, n_classes, label, n_forests, n_trees;
    uint64_t zero_3;
};

struct pipeline_section {
    uint32_t tag, flags;
    uint64_t offset; /* from the start of the file, a multiple of 64 */
    uint64_t count;  /* of elements */
};

/* A step as the file has it. Its inputs, numbers and whole numbers stand behind those of the step before. */
struct record {
    uint16_t op, zero;
    uint32_t n_in, n_out, out, n_numbers, n_whole;
};

struct forest_place {
    uint64_t offset, size; /* from the start of the file */
};

/* An open forest, and how many steps read it. */
struct forest_run {
    const struct forest *forest;
    uint64_t n_readers;
};

/* A step that has been checked. */
struct step_run {
    uint16_t op;
    uint8_t is_run;         /* its inputs are consecutive slots */
    uint8_t has_nan;        /* FIND: the last number is NaN. FOREST: two probabilities of one output */
    uint32_t n_in, n_out, out, n_numbers, n_whole;
    const uint32_t *in;     /* (n_in) slots */
    const double *p;        /* (n_numbers) */
    const int32_t *w;       /* (n_whole) */
    const struct forest *forest; /* of FOREST */
};

/* The start of the caller's `pipeline`. The forests follow. */
struct pipeline {
    const struct pipeline_header *header;
    const void *at[PIPELINE_SECTIONS + 1];
    uint64_t count[PIPELINE_SECTIONS + 1];
    struct step_run *steps; /* (n_steps) */
    uint8_t *use;           /* (n_slots) enum use */
    struct forest_run *forests; /* (n_forests) */
    char *room;             /* for the open forests, each 64-aligned */
    uint32_t block;         /* rows that are computed together */
    uint32_t most_in;       /* of any step */
    uint64_t work;          /* numbers that a step may need beside the slots */
    uint64_t forest_scratch;
};

_Static_assert(sizeof(struct pipeline_header) == 64, "the header has 64 bytes");
_Static_assert(sizeof(struct pipeline_section) == 24, "a section's entry has 24 bytes");
_Static_assert(sizeof(struct record) == 24, "a step has 24 bytes");

/* Slots lie `stride` numbers apart when rows are computed together, so that the values of a row lie in different sets
 * of the nearest cache. */
static inline uint64_t slot_stride(const struct pipeline *pipeline) { return pipeline->block + 8ull; }

/* Whether a step's parameters are what its operation takes; returns BAREBOAT_OK or an error without a section. Inputs,
 * outputs and forests are checked by others. */
int32_t check_step(const struct step_run *step);

#endif
