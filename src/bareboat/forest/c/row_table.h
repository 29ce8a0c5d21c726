/* What one row's way through a forest is made of: built by bareboat_open, read-only afterwards. Inside the kernel only.
 *
 * Trees go in groups of 64, one to a lane. The upper part of each tree is scanned: for every node, in an order that has
 * parents before children, all lanes compare at once, and a lane that stands at the node and goes right adds `step`.
 * What is left is an exit: a leaf, or a branch of up to 16 leaves, whose nodes are compared at once as well.
 */
#ifndef BAREBOAT_ROW_TABLE_H
#define BAREBOAT_ROW_TABLE_H

#include "file.h"

enum { LANES = 64, BRANCH_LEAVES = 16, MOST_COLUMNS = 256, MOST_LEVELS = 4, FANOUT = 16 };

/* The nodes that 64 lanes look at together. Ranks and cuts have their top bit turned over, since AVX2 compares signed
 * numbers only. A lane without such a node has a cut that no rank exceeds. `high` is there in wide forests only. */
struct lane_nodes {
    uint8_t column[LANES], cut[LANES], first[LANES], step[LANES], high[LANES];
};
enum { SCAN_NARROW = 4 * LANES, SCAN_WIDE = 5 * LANES };

/* A branch of up to 16 leaves, as one cache line. The node whose right branch starts at leaf `i + 1` stands at `i`, so
 * that at leaf `i` all nodes before `i` that are above it went right, and all others above it left; bit `j` of
 * path[i] says whether node `j` is above leaf `i`. column[15] belongs to no node: it is the branch's first leaf within
 * its tree. */
struct branch {
    uint8_t column[BRANCH_LEAVES], cut[BRANCH_LEAVES];
    uint16_t path[BRANCH_LEAVES];
};

/* How a value becomes the rank of a numeric column: `levels` times, 16 sorted numbers out of those at `level` are
 * compared at once. Each number of a level is the last of 16 of the next one, and infinity where these end. */
struct rank_column {
    uint32_t feature, missing; /* the rank of a missing value */
    uint32_t levels, zero_is_missing;
    uint32_t level[MOST_LEVELS]; /* into row_table.thresholds */
};

/* A group's nodes and where its bits start, counted in nodes. */
struct lane_group {
    uint64_t nodes;
    uint32_t n_nodes, bits;
};

/* An exit is a leaf of the forest, or a branch when this bit is set. */
#define EXIT_TO_BRANCH 0x80000000u

struct row_table {
    uint32_t n_groups, n_branches, n_tables; /* n_tables: of 16 ranks each */
    uint32_t is_ranked;                      /* whether `columns` holds; thresholds are searched in the file if not */
    uint32_t is_scanned, is_wide, has_exits; /* wide: ranks of 16 bits */
    uint32_t n_categorical, n_words;         /* a category's bits: n_words for the scan, then 16 for each branch */
    uint64_t bits_stride;                    /* in bytes, from category to category */
    const struct rank_column *columns;
    const double *thresholds;
    const struct lane_group *groups;
    const uint8_t *nodes;
    const uint32_t *exit_start, *exits;
    const struct branch *branches;
    const uint8_t (*branch_high)[BRANCH_LEAVES];
    const uint32_t *bits_start; /* (n_categorical) the first category of each categorical column */
    const uint8_t *bits;        /* which lanes and which nodes of branches go right */
};

/* For paths.c: the maker of table ROW_TABLE. */
uint64_t row_room(const struct forest *forest);
uint64_t row_build(struct forest *forest, void *room);

/* Where a table's next part lies, and what is left. */
struct room {
    char *at;
    uint64_t left;
};

/* Take part of a room, 64-aligned, or return NULL when it does not fit. */
static inline void *take(struct room *room, uint64_t size) {
    void *at = room->at;
    size = (size + 63) & ~63ull;
    if (size > room->left) return 0;
    room->at += size;
    room->left -= size;
    return at;
}

/* Parts of the table; each returns 0 when it does not fit. */
uint64_t thresholds_room(const struct forest *forest);
int build_thresholds(const struct forest *forest, struct row_table *table, struct room *room);
uint64_t scan_room(const struct forest *forest);
int build_scan(const struct forest *forest, struct row_table *table, struct room *room);
uint64_t sets_room(const struct forest *forest);
int build_sets(const struct forest *forest, struct row_table *table, struct room *room);

#endif
