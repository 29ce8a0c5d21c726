/* One row -> raw scores: ranks, then the upper parts of 64 trees at a time, then the branches below them, then sums.
 * Forests that have no such table are walked. */
#include "row.h"

#include "kernel.h"
#include "paths.h"
#include "row_path.h"
#include "row_sum.h"
#include "row_table.h"
#include "row_walk.h"
#include "walk.h"

/* Where the parts of the scratch start. */
struct scratch {
    struct row_ranks *ranks;
    uint8_t *exit;         /* (LANES) */
    uint32_t *leaf;        /* (n_trees), within the tree */
    uint32_t *rank;        /* (n_columns) */
    double *value;         /* (n_features) */
    uint64_t *right;       /* (n_words) */
    const uint8_t **bits;  /* (n_categorical) */
    struct row_work *work; /* (LANES) */
    struct walker *walkers;
    uint64_t size;
};

static void *part(uint64_t *size, char *start, uint64_t more) {
    char *at = start ? start + *size : 0;
    *size += aligned(more);
    return at;
}

static struct scratch divide(const struct forest *forest, void *memory) {
    const struct row_table *table = forest->table[ROW_TABLE];
    uint64_t n_trees = forest->header->n_trees, n_columns = forest->count[COLUMNS];
    struct scratch scratch = {0};
    uint64_t *size = &scratch.size;
    scratch.leaf = part(size, memory, 4 * n_trees);
    scratch.rank = part(size, memory, 4 * n_columns);
    scratch.value = part(size, memory, 8ull * forest->header->n_features);
    if (table && table->is_scanned) {
        scratch.ranks = part(size, memory, sizeof *scratch.ranks);
        scratch.exit = part(size, memory, LANES);
        scratch.work = part(size, memory, (LANES + 1) * sizeof *scratch.work);
        scratch.right = part(size, memory, 8ull * table->n_words + 64);
        scratch.bits = part(size, memory, table->n_categorical * sizeof *scratch.bits);
    } else {
        scratch.walkers = part(size, memory, (n_trees + 1) * sizeof *scratch.walkers);
    }
    return scratch;
}

uint64_t row_scratch(const struct forest *forest) { return divide(forest, 0).size; }

static const struct row_path *path_of(const struct forest *forest) {
#if defined(__x86_64__)
    if (forest->path == BAREBOAT_AVX2) return &ROW_AVX2;
    if (forest->path == BAREBOAT_AVX512) return &ROW_AVX512;
#elif defined(__aarch64__)
    if (forest->path == BAREBOAT_NEON) return &ROW_NEON;
#endif
    (void)forest;
    return 0;
}

uint64_t row_room(const struct forest *forest) {
    return aligned(sizeof(struct row_table)) + thresholds_room(forest) + scan_room(forest) + sets_room(forest) + 512;
}

uint64_t row_build(struct forest *forest, void *memory) {
    struct row_table *table = memory;
    struct room room = {memory, row_room(forest)};
    forest->table[ROW_TABLE] = 0;
    if (!path_of(forest)) return 0;
    take(&room, sizeof *table);
    *table = (struct row_table){0};
    table->is_ranked = thresholds_room(forest) && build_thresholds(forest, table, &room);
    table->is_scanned = scan_room(forest) && build_scan(forest, table, &room);
    if (table->is_scanned && forest->n_numeric < forest->count[COLUMNS])
        table->is_scanned = build_sets(forest, table, &room);
    forest->table[ROW_TABLE] = table;
    return (uint64_t)(room.at - (char *)memory);
}

/* The values of a row as they are, or read into scratch where linear leaves or categories need them rounded. */
static const double *row_values(const struct forest *forest, const struct rows *rows, int64_t i, double *into) {
    const char *at = rows->at + i * rows->row_stride;
    int is_plain = forest->n_numeric == forest->count[COLUMNS] && !forest->count[LINEAR_START];
    if (is_plain && rows->number == BAREBOAT_FLOAT64 && rows->column_stride == sizeof(double) && (uintptr_t)at % 8 == 0)
        return (const double *)(const void *)at;
    read_row(forest, rows, i, into);
    return into;
}

static const double *rank_values(const struct forest *forest, const struct rows *rows, int64_t i,
                                 const struct scratch *scratch) {
    const struct row_table *table = forest->table[ROW_TABLE];
    const double *value;
    if (table && table->is_ranked) {
        value = row_values(forest, rows, i, scratch->value);
        path_of(forest)->rank(forest, table, value, scratch->rank);
        rank_categories(forest, value, scratch->rank);
        return value;
    }
    read_row(forest, rows, i, scratch->value);
    rank_row(forest, scratch->value, scratch->rank);
    return scratch->value;
}

/* Ranks as bytes, as the scan looks them up: whole vectors of them, whatever stands behind the last one. */
static void pack_ranks(const uint32_t *rank, uint32_t n, int is_wide, struct row_ranks *ranks) {
    for (uint32_t i = n & ~(LANES - 1u); i < MOST_COLUMNS && i < n + LANES; i++) ranks->low[i] = ranks->high[i] = 0;
    for (uint32_t i = 0; i < n; i++) ranks->low[i] = (uint8_t)(rank[i] ^ 128);
    if (!is_wide) return;
    for (uint32_t i = 0; i < n; i++) ranks->high[i] = (uint8_t)(rank[i] >> 8 ^ 128);
}

static struct row_bits find_bits(const struct forest *forest, const struct row_table *table,
                                 const struct scratch *scratch) {
    const uint32_t *rank = scratch->rank + forest->n_numeric;
    for (uint32_t i = 0; i < table->n_categorical; i++)
        scratch->bits[i] = table->bits + (table->bits_start[i] + rank[i]) * table->bits_stride;
    return (struct row_bits){scratch->bits, table->n_categorical};
}

/* Exits -> leaves within their trees. */
static void follow_exits(const struct forest *forest, const struct row_table *table, const struct row_path *path,
                         uint32_t first, uint32_t n, const struct row_bits *bits, const struct scratch *scratch) {
    const uint32_t *start = words(forest, LEAF_START) + first, *exit_start = table->exit_start + first;
    uint32_t *leaf = scratch->leaf + first, n_work = 0;
    if (!table->has_exits) {
        for (uint32_t i = 0; i < n; i++) leaf[i] = scratch->exit[i];
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t exit = table->exits[exit_start[i] + scratch->exit[i]];
        leaf[i] = exit - start[i];
        scratch->work[n_work] = (struct row_work){i, exit & ~EXIT_TO_BRANCH};
        n_work += exit >> 31;
    }
    for (uint32_t i = 0; i < n_work; i++) __builtin_prefetch(table->branches + scratch->work[i].branch);
    path->finish(table, scratch->ranks, scratch->work, n_work, bits, leaf);
}

/* Find the leaves of all trees, and add them to `out` group by group where it is given. */
static void scan_trees(const struct forest *forest, const struct scratch *scratch, const double *value, double *out) {
    const struct row_table *table = forest->table[ROW_TABLE];
    const struct row_path *path = path_of(forest);
    struct row_bits bits = {0, 0};
    uint32_t n_trees = forest->header->n_trees;
    int is_plain = !table->has_exits && has_plain_sum(forest);
    pack_ranks(scratch->rank, forest->n_numeric, table->is_wide != 0, scratch->ranks);
    if (table->n_categorical) {
        bits = find_bits(forest, table, scratch);
        path->join(&bits, table->n_words, scratch->right);
    }
    for (uint32_t group = 0; group < table->n_groups; group++) {
        const struct lane_group *nodes = table->groups + group;
        uint32_t first = group * LANES, n = n_trees - first < LANES ? n_trees - first : LANES;
        path->scan(table, scratch->ranks, nodes, bits.n ? scratch->right + nodes->bits : 0, scratch->exit);
        if (out && is_plain) {
            add_row_exits(forest, first, n, scratch->exit, out);
            continue;
        }
        follow_exits(forest, table, path, first, n, &bits, scratch);
        if (out) add_row_leaves(forest, first, n, scratch->leaf + first, value, out);
    }
}

void score_row(const struct forest *forest, const struct rows *rows, int64_t i, double *out, void *memory) {
    const struct row_table *table = forest->table[ROW_TABLE];
    struct scratch scratch = divide(forest, memory);
    const double *value = rank_values(forest, rows, i, &scratch);
    start_sums(forest, out);
    if (table && table->is_scanned) {
        scan_trees(forest, &scratch, value, out);
    } else {
        walk_trees(forest, scratch.rank, scratch.walkers, scratch.leaf);
        add_row_leaves(forest, 0, forest->header->n_trees, scratch.leaf, value, out);
    }
}

void leaves_of_row(const struct forest *forest, const struct rows *rows, int64_t i, uint32_t *leaf, void *memory) {
    const struct row_table *table = forest->table[ROW_TABLE];
    struct scratch scratch = divide(forest, memory);
    scratch.leaf = leaf;
    rank_values(forest, rows, i, &scratch);
    if (table && table->is_scanned)
        scan_trees(forest, &scratch, 0, 0);
    else
        walk_trees(forest, scratch.rank, scratch.walkers, leaf);
}
