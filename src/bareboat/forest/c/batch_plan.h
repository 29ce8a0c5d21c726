/* What bareboat_open lays out for batches: the tables that the blocks of rows are ranked and scanned by. Inside the
 * kernel only. */
#ifndef BAREBOAT_BATCH_PLAN_H
#define BAREBOAT_BATCH_PLAN_H

#include "file.h"

enum {
    BLOCK = 256,       /* rows that are ranked and scored together */
    CHUNK = 8,         /* trees whose leaves wait until they are added */
    MAX_LEVELS = 11,   /* 8 to this power is more than a file has thresholds */
    SCAN_LEAVES = 256, /* leaves of a tree that a scan's byte counts */
    PART_CODES = 128,  /* dense codes that one shuffle of 16 bytes looks up */
    SCAN_PARTS = 16,   /* parts of a column up to which a scan looks its sets up */
    SET_SLACK = 128    /* bytes that may be read behind the last set */
};

/* How a tree finds its rows' leaves. */
enum how {
    SCAN_FILE,    /* scan the file's own nodes of four bytes */
    SCAN_OWN,     /* scan `struct scan_node`s */
    WALK_NARROW,  /* walk `struct narrow_node`s */
    WALK_WIDE     /* walk `struct wide_node`s */
};

struct scan_node {
    uint32_t column;
    uint16_t cut;
    uint8_t first, right;
};

/* Nodes of a walk. The branches of a node are the entries `child` and `child + 1`. An entry that is a leaf has the bit
 * IS_LEAF in `child`, the rest of which is the leaf. Column 0 and cut 0 of a leaf are read and not used. */
#define IS_LEAF 0x80000000u
#define IS_SET 0x80000000u

struct narrow_node {
    uint16_t column, cut;
    uint32_t child;
};

struct wide_node {
    uint32_t column; /* with IS_SET: a categorical column, from 0 on */
    uint32_t cut;    /* of a set: the place of its first byte in the file's sets */
    uint32_t child;
    uint32_t n_bytes; /* of a set */
};

struct tree_plan {
    uint64_t at; /* the first node: of the file's, or in bytes from `nodes` */
    uint32_t how, n_nodes;
};

/* The thresholds of a feature as a search tree of nodes of 8 keys, level after level from the top one of one node; a
 * node's keys are the greatest of each of its branches, infinity for the last. The lowest level holds the thresholds.
 */
struct search {
    uint32_t feature, column, n_columns; /* the columns that the feature is ranked for */
    uint32_t n_keys, n_levels;
    uint32_t level[MAX_LEVELS]; /* places from `first` on */
    uint64_t first;
};

/* The ranks that NaN and, for the rules of zero, tiny values have in a numeric column. */
struct column_plan {
    uint32_t nan_rank, tiny_rank, has_tiny;
};

/* A categorical column: numbers below n_direct have their dense code in `direct`, when it is not 0. For scans a block
 * holds its codes as n_places rows of bytes behind one of bits, as rank_block.h says. */
struct code_plan {
    uint32_t n_direct, n_places;
    uint64_t direct, place;
};

struct batch {
    uint32_t rank_size; /* bytes of a rank in a block: 1, 2 or 4 */
    uint32_t n_searches, n_categorical;
    uint32_t n_places; /* of all categorical columns, rows of bytes and bits */
    uint32_t max_sets; /* of a scanned tree's nodes, how many are sets at most */
    const struct search *search;
    const struct column_plan *column;
    const struct code_plan *code;
    const uint32_t *direct;
    const void *keys; /* float32 where values are, else float64 */
    const struct tree_plan *tree;
    const uint32_t *order; /* (n_trees) the trees, those of one output together, each output's in their order */
    const char *nodes;
    const uint8_t *set_bytes;  /* each set, padded with zeros to a multiple of 16 bytes */
    const uint32_t *set_start; /* of each set, in units of 16 bytes; one more than sets */
    const uint16_t *set_parts; /* of each set, which of its first 16 parts of 16 bytes are not zero */
};

/* The maker of BATCH_TABLE, for paths.c. */
uint64_t batch_room(const struct forest *forest);
uint64_t batch_build(struct forest *forest, void *room);

#endif
