/* Many rows -> raw scores and leaves, block after block. */
#include "batch.h"

#include <string.h>

#include "batch_add.h"
#include "batch_plan.h"
#include "batch_scan.h"
#include "batch_walk.h"
#include "kernel.h"
#include "paths.h"
#include "rank_block.h"
#include "row.h"
#include "walk.h"

enum {
    FEW = 8,            /* rows below which one after the other is faster than a block */
    MANY_LEAVES = 1 << 14, /* leaves of a forest that does not fit into the nearest cache */
    BIG_TREE = 1 << 9,  /* nodes of a tree that fills the nearest cache by itself */
    MOST_BLOCKS = 16,   /* ranked blocks that a tree of a large forest is taken to before the next tree */
    BLOCKS_SIZE = 1 << 18 /* bytes that these blocks may take, so that they stay in the second cache */
};

/* What blocks are worked out in. */
struct work {
    struct block block[MOST_BLOCKS];
    uint32_t n_blocks;
    void *side;
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
    uint64_t rows = BLOCK, used = 0, ranks = forest->n_numeric * rows * batch->rank_size;
    uint64_t codes = batch->n_categorical * rows * sizeof(uint32_t), places = batch->n_places * rows;
    uint64_t n_blocks = forest->header->n_leaves < MANY_LEAVES ? 1 : BLOCKS_SIZE / (ranks + codes + places + 1);
    work->n_blocks = n_blocks < 1 ? 1 : n_blocks > MOST_BLOCKS ? MOST_BLOCKS : (uint32_t)n_blocks;
    work->row = take(scratch, &used, row_scratch(forest));
    for (uint32_t i = 0; i < work->n_blocks; i++) {
        work->block[i].rank = take(scratch, &used, ranks);
        work->block[i].code = take(scratch, &used, codes);
        work->block[i].place = take(scratch, &used, places);
    }
    work->side = take(scratch, &used, batch->max_sets * rows * batch->rank_size);
    work->leaves = take(scratch, &used, sizeof *work->leaves);
    return used;
}

uint64_t batch_scratch(const struct forest *forest) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    struct work work;
    return batch ? lay_out(forest, batch, 0, &work) : row_scratch(forest);
}

/* The leaves of a chunk of trees, in the plan's order, for a ranked block. */
static void find_leaves(const struct forest *forest, const struct batch *batch, uint32_t first, uint32_t count,
                        const struct block *block, uint32_t n, const struct work *work) {
    struct leaves *leaves = work->leaves;
    scanner scan = scanner_for(forest->path);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tree = batch->order[first + i];
        enum how how = (enum how)batch->tree[tree].how;
        leaves->is_number[i] = how == WALK_NARROW || how == WALK_WIDE;
        if (leaves->is_number[i])
            walk_block(forest, tree, block, n, leaves->number[i]);
        else if (batch->tree[tree].n_nodes)
            scan(forest, tree, block, n, work->side, leaves->byte[i]);
        else
            for (uint32_t row = 0; row < n; row++) leaves->byte[i][row] = 0;
    }
}

static uint32_t leaf_of(const struct leaves *leaves, uint32_t tree, uint32_t row) {
    return leaves->is_number[tree] ? leaves->number[tree][row] : leaves->byte[tree][row];
}

/* Leaves that hold linear models: row after row, since each reads the row's values. */
static void add_linear(const struct forest *forest, const struct rows *rows, int64_t at, const uint32_t *tree,
                       uint32_t count, uint32_t n, const struct work *work, double *out) {
    double *value = work->row;
    for (uint32_t row = 0; row < n; row++, out += forest->header->n_outputs) {
        read_row(forest, rows, at + row, value);
        for (uint32_t i = 0; i < count; i++)
            add_leaf(forest, tree[i], leaf_of(work->leaves, i, row), value, out);
    }
}

static uint32_t count_up_to(uint64_t left, uint32_t most) { return left < most ? (uint32_t)left : most; }

/* How many trees are taken together from `first` on: those of one output, as many as have room; a big one by itself,
 * which then stays in the cache for all blocks. */
static uint32_t count_chunk(const struct forest *forest, const struct batch *batch, uint32_t first) {
    uint32_t count = count_up_to(forest->header->n_trees - first, CHUNK);
    const uint32_t *trees = batch->order + first;
    uint32_t output = tree_output(forest, trees[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (batch->tree[trees[i]].n_nodes >= BIG_TREE) return i ? i : 1;
        if (forest->leaf_width == 1 && tree_output(forest, trees[i]) != output) return i;
    }
    return count;
}

/* Every row's sums start at the base: copied from the rows before, twice as many each time. */
static void start_rows(const struct forest *forest, uint64_t n, double *out) {
    uint64_t width = forest->header->n_outputs, total = n * width;
    start_sums(forest, out);
    for (uint64_t filled = width; filled < total; filled *= 2)
        memcpy(out + filled, out, (filled < total - filled ? filled : total - filled) * sizeof *out);
}

static void score_blocks(const struct forest *forest, const struct batch *batch, const struct rows *rows, int64_t at,
                         uint32_t n, const struct work *work, double *out) {
    uint64_t width = forest->header->n_outputs;
    for (uint32_t row = 0; row < n; row += BLOCK)
        rank_block(forest, rows, at + row, count_up_to(n - row, BLOCK), work->block + row / BLOCK);
    start_rows(forest, n, out);
    for (uint32_t first = 0, count; first < forest->header->n_trees; first += count) {
        const uint32_t *trees = batch->order + first;
        count = count_chunk(forest, batch, first);
        for (uint32_t row = 0; row < n; row += BLOCK) {
            uint32_t a_block = count_up_to(n - row, BLOCK);
            find_leaves(forest, batch, first, count, work->block + row / BLOCK, a_block, work);
            if (forest->count[LINEAR_START])
                add_linear(forest, rows, at + row, trees, count, a_block, work, out + row * width);
            else
                add_leaves(forest, trees, count, work->leaves, a_block, out + row * width);
        }
    }
}

static void leaves_of_blocks(const struct forest *forest, const struct batch *batch, const struct rows *rows,
                             int64_t at, uint32_t n, const struct work *work, uint32_t *leaf) {
    uint64_t n_trees = forest->header->n_trees;
    for (uint32_t row = 0; row < n; row += BLOCK)
        rank_block(forest, rows, at + row, count_up_to(n - row, BLOCK), work->block + row / BLOCK);
    for (uint32_t first = 0, count; first < n_trees; first += count) {
        const uint32_t *trees = batch->order + first;
        count = count_chunk(forest, batch, first);
        for (uint32_t row = 0; row < n; row += BLOCK) {
            uint32_t a_block = count_up_to(n - row, BLOCK);
            find_leaves(forest, batch, first, count, work->block + row / BLOCK, a_block, work);
            for (uint32_t i = 0; i < a_block; i++)
                for (uint32_t tree = 0; tree < count; tree++)
                    leaf[(row + i) * n_trees + trees[tree]] = leaf_of(work->leaves, tree, i);
        }
    }
}

void score_rows(const struct forest *forest, const struct rows *rows, int64_t n, double *out, void *scratch) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    uint64_t width = forest->header->n_outputs;
    struct work work = {.row = scratch};
    int64_t at = 0;
    if (batch) lay_out(forest, batch, scratch, &work);
    while (batch && n - at >= FEW) {
        uint32_t count = count_up_to((uint64_t)(n - at), work.n_blocks * BLOCK);
        score_blocks(forest, batch, rows, at, count, &work, out + (uint64_t)at * width);
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
        uint32_t count = count_up_to((uint64_t)(n - at), work.n_blocks * BLOCK);
        leaves_of_blocks(forest, batch, rows, at, count, &work, leaf + (uint64_t)at * width);
        at += count;
    }
    for (; at < n; at++) leaves_of_row(forest, rows, at, leaf + (uint64_t)at * width, work.row);
}
