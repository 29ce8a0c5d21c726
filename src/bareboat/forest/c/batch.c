/* Many rows -> raw scores and leaves, block after block. */
#include "batch.h"

#include "batch_add.h"
#include "batch_plan.h"
#include "batch_scan.h"
#include "batch_walk.h"
#include "kernel.h"
#include "paths.h"
#include "rank_block.h"
#include "row.h"
#include "walk.h"

/* Rows below which one after the other is faster than a block. */
enum { FEW = 8 };

/* What a block is worked out in. */
struct work {
    struct block block;
    void *side;
    struct way *way;
    struct leaves *leaves;
    void *row; /* for rows by themselves, and their values */
};

scanner scanner_for(uint32_t path) {
    switch (path) {
#if defined(__x86_64__)
    case BAREBOAT_AVX2: return scan_avx2;
    case BAREBOAT_AVX512: return scan_avx512;
#elif defined(__aarch64__)
    case BAREBOAT_NEON: return scan_neon;
#endif
    default: return 0;
    }
}

static void *take(char *scratch, uint64_t *used, uint64_t size) {
    void *taken = scratch ? scratch + *used : 0;
    *used += aligned(size);
    return taken;
}

/* Lay the work out in `scratch`, unless it is NULL; return how many bytes it takes. */
static uint64_t lay_out(const struct forest *forest, const struct batch *batch, char *scratch, struct work *work) {
    uint64_t rows = BLOCK, used = 0;
    work->row = take(scratch, &used, row_scratch(forest));
    work->block.rank = take(scratch, &used, forest->n_numeric * rows * batch->rank_size);
    work->block.code = take(scratch, &used, batch->n_categorical * rows * sizeof(uint32_t));
    work->block.eighth = take(scratch, &used, batch->n_categorical * rows * 2);
    work->side = take(scratch, &used, batch->max_sets * rows * batch->rank_size);
    work->way = take(scratch, &used, sizeof *work->way);
    work->leaves = take(scratch, &used, sizeof *work->leaves);
    return used;
}

uint64_t batch_scratch(const struct forest *forest) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    struct work work;
    return batch ? lay_out(forest, batch, 0, &work) : row_scratch(forest);
}

/* The leaves of a chunk's trees for a ranked block. */
static void find_leaves(const struct forest *forest, const struct batch *batch, uint32_t first, uint32_t count,
                        uint32_t n, const struct work *work) {
    struct leaves *leaves = work->leaves;
    scanner scan = scanner_for(forest->path);
    for (uint32_t i = 0; i < count; i++) {
        enum how how = (enum how)batch->tree[first + i].how;
        leaves->is_number[i] = how == WALK_NARROW || how == WALK_WIDE;
        if (leaves->is_number[i])
            walk_block(forest, first + i, &work->block, n, work->way, leaves->number[i]);
        else if (batch->tree[first + i].n_nodes)
            scan(forest, first + i, &work->block, n, work->side, leaves->byte[i]);
        else
            for (uint32_t row = 0; row < n; row++) leaves->byte[i][row] = 0;
    }
}

static uint32_t leaf_of(const struct leaves *leaves, uint32_t tree, uint32_t row) {
    return leaves->is_number[tree] ? leaves->number[tree][row] : leaves->byte[tree][row];
}

/* Leaves that hold linear models: row after row, since each reads the row's values. */
static void add_linear(const struct forest *forest, const struct rows *rows, int64_t at, uint32_t first, uint32_t count,
                       uint32_t n, const struct work *work, double *out) {
    double *value = work->row;
    for (uint32_t row = 0; row < n; row++, out += forest->header->n_outputs) {
        read_row(forest, rows, at + row, value);
        for (uint32_t i = 0; i < count; i++)
            add_leaf(forest, first + i, leaf_of(work->leaves, i, row), value, out);
    }
}

static uint32_t count_up_to(uint64_t left, uint32_t most) { return left < most ? (uint32_t)left : most; }

static void score_block(const struct forest *forest, const struct batch *batch, const struct rows *rows, int64_t at,
                        uint32_t n, const struct work *work, double *out) {
    uint32_t n_trees = forest->header->n_trees;
    rank_block(forest, rows, at, n, &work->block);
    for (uint32_t row = 0; row < n; row++) start_sums(forest, out + (uint64_t)row * forest->header->n_outputs);
    for (uint32_t first = 0; first < n_trees; first += CHUNK) {
        uint32_t count = count_up_to(n_trees - first, CHUNK);
        find_leaves(forest, batch, first, count, n, work);
        if (forest->count[LINEAR_START])
            add_linear(forest, rows, at, first, count, n, work, out);
        else
            add_leaves(forest, first, count, work->leaves, n, out);
    }
}

static void leaves_of_block(const struct forest *forest, const struct batch *batch, const struct rows *rows, int64_t at,
                            uint32_t n, const struct work *work, uint32_t *leaf) {
    uint32_t n_trees = forest->header->n_trees;
    rank_block(forest, rows, at, n, &work->block);
    for (uint32_t first = 0; first < n_trees; first += CHUNK) {
        uint32_t count = count_up_to(n_trees - first, CHUNK);
        find_leaves(forest, batch, first, count, n, work);
        for (uint32_t row = 0; row < n; row++)
            for (uint32_t i = 0; i < count; i++)
                leaf[(uint64_t)row * n_trees + first + i] = leaf_of(work->leaves, i, row);
    }
}

void score_rows(const struct forest *forest, const struct rows *rows, int64_t n, double *out, void *scratch) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    uint64_t width = forest->header->n_outputs;
    struct work work = {.row = scratch};
    int64_t at = 0;
    if (batch) lay_out(forest, batch, scratch, &work);
    while (batch && n - at >= FEW) {
        uint32_t count = count_up_to((uint64_t)(n - at), BLOCK);
        score_block(forest, batch, rows, at, count, &work, out + (uint64_t)at * width);
        at += count;
    }
    for (; at < n; at++) score_row(forest, rows, at, out + (uint64_t)at * width, work.row);
}

void leaves_of_rows(const struct forest *forest, const struct rows *rows, int64_t n, uint32_t *leaf, void *scratch) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    uint64_t width = forest->header->n_trees;
    struct work work = {.row = scratch};
    int64_t at = 0;
    if (batch) lay_out(forest, batch, scratch, &work);
    while (batch && n - at >= FEW) {
        uint32_t count = count_up_to((uint64_t)(n - at), BLOCK);
        leaves_of_block(forest, batch, rows, at, count, &work, leaf + (uint64_t)at * width);
        at += count;
    }
    for (; at < n; at++) leaves_of_row(forest, rows, at, leaf + (uint64_t)at * width, work.row);
}
