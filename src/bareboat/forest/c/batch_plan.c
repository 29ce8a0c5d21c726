/* A checked forest -> the tables for batches. */
#include "batch_plan.h"

#include <math.h>
#include <string.h>

#include "kernel.h"
#include "paths.h"
#include "rank.h"

BEGIN_SMALL

static uint64_t at_most(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Keys of all searches: a level has an eighth of the one below, each filled up to 8. */
static uint64_t keys_room(const struct forest *forest) {
    return 3ull * forest->count[THRESHOLDS] + 16 * at_most(forest->header->n_features, forest->count[COLUMNS]);
}

static uint64_t searches_room(const struct forest *forest) {
    return at_most(forest->header->n_features, forest->count[COLUMNS]);
}

static uint64_t trees_room(const struct forest *forest) {
    return at_most(forest->header->n_trees, forest->header->n_leaves);
}

static uint64_t nodes_room(const struct forest *forest) {
    int is_wide = forest->kind[NODES] == 2 || forest->count[SET_START] || forest->count[THRESHOLDS] >= 1u << 16;
    return (is_wide ? sizeof(struct wide_node) : sizeof(struct narrow_node)) * 2ull * forest->header->n_leaves;
}

static uint64_t direct_room(const struct forest *forest) {
    return 4ull * forest->count[CATEGORY_CODES] + 64ull * forest->count[COLUMNS];
}

/* Sets, each filled up to 16 bytes. */
static uint64_t sets_room(const struct forest *forest) {
    return forest->count[SETS] + 16ull * forest->count[SET_OFFSET] + SET_SLACK;
}

/* Entries of a walk count up to 2^31; a forest beyond that is walked row after row. */
uint64_t batch_room(const struct forest *forest) {
    uint64_t room;
    if (forest->header->n_leaves >= 1u << 30) return 0;
    room = aligned(sizeof(struct batch)) + aligned(searches_room(forest) * sizeof(struct search));
    room += aligned(forest->count[COLUMNS] * sizeof(struct column_plan));
    room += aligned(keys_room(forest) * sizeof(double)) + aligned(trees_room(forest) * sizeof(struct tree_plan));
    room += aligned(nodes_room(forest)) + 2 * aligned((trees_room(forest) + 1) * sizeof(uint32_t));
    if (!forest->count[SET_START]) return room;
    room += aligned(forest->count[COLUMNS] * sizeof(struct code_plan));
    room += aligned(direct_room(forest) * sizeof(uint32_t));
    room += aligned(sets_room(forest));
    return room + 2 * aligned(forest->count[SET_OFFSET] * sizeof(uint32_t));
}

/* Memory of the caller's, handed out from front to back. */
static void *take(char **room, uint64_t size) {
    char *taken = *room;
    *room += aligned(size);
    return taken;
}

/* A threshold such that `value <= it` says of the value as it is given what `value <= threshold` says of the value
 * that is read as 0.0 when it is tiny. */
static double untied(const struct forest *forest, double threshold) {
    if (!has_flag(forest, TINY_IS_ZERO) || threshold >= TINY || threshold < -TINY) return threshold;
    if (threshold >= 0.0) return TINY;
    return has_flag(forest, SINGLE_INPUT) ? (double)nextafterf((float)-TINY, -INFINITY) : nextafter(-TINY, -INFINITY);
}

/* Lay one level of `n` keys out, filled up to a multiple of 8; return how many keys it takes. */
#define LAY_OUT(NAME, TYPE)                                                                                          \
    static void NAME(const struct forest *forest, struct search *search, TYPE *key) {                                \
        uint64_t first = words(forest, THRESHOLD_START)[search->feature], n = search->n_keys, filled;                \
        uint32_t level = search->n_levels;                                                                           \
        TYPE *below;                                                                                                 \
        while (level--) {                                                                                            \
            TYPE *at = key + search->level[level];                                                                   \
            below = key + search->level[level + 1 < search->n_levels ? level + 1 : level];                           \
            filled = n ? (n + 7) & ~7ull : 8;                                                                        \
            for (uint64_t i = 0; i < n; i++)                                                                         \
                at[i] = level + 1 == search->n_levels                                                                \
                            ? (TYPE)untied(forest, number_at(forest, THRESHOLDS, first + i))                         \
                            : below[8 * i + 7];                                                                      \
            for (uint64_t i = n; i < filled; i++) at[i] = (TYPE)INFINITY;                                            \
            if (level + 1 < search->n_levels) at[n - 1] = (TYPE)INFINITY;                                            \
            n = filled / 8;                                                                                          \
        }                                                                                                            \
    }

LAY_OUT(lay_out_double, double)
LAY_OUT(lay_out_single, float)

/* Places of the levels; returns how many keys there are in all. */
static uint64_t shape_search(struct search *search) {
    uint64_t size[MAX_LEVELS], total = 0, n = search->n_keys;
    uint32_t n_levels = 0;
    do {
        n = n ? (n + 7) / 8 : 1;
        size[n_levels++] = 8 * n;
    } while (n > 1);
    search->n_levels = n_levels;
    for (uint32_t level = 0; level < n_levels; level++) {
        search->level[level] = (uint32_t)total;
        total += size[n_levels - 1 - level];
    }
    return total;
}

/* Numeric columns stand by feature, then by rule. */
static void plan_columns(const struct forest *forest, struct batch *batch, struct search *search,
                         struct column_plan *column, void *keys) {
    const uint32_t *columns = words(forest, COLUMNS), *start = words(forest, THRESHOLD_START);
    int single = has_flag(forest, SINGLE_INPUT);
    uint64_t used = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        uint32_t feature = feature_of(columns[i]), n = start[feature + 1] - start[feature], rule = rule_of(columns[i]);
        if (!i || feature != feature_of(columns[i - 1])) {
            *search = (struct search){.feature = feature, .column = i, .n_keys = n, .first = used};
            used += shape_search(search);
            if (single)
                lay_out_single(forest, search, (float *)keys + search->first);
            else
                lay_out_double(forest, search, (double *)keys + search->first);
            search++;
            batch->n_searches++;
        }
        search[-1].n_columns++;
        most = n > most ? n : most;
        column[i] = (struct column_plan){0, 0, rule == ZERO_LEFT || rule == ZERO_RIGHT};
        if (rule == NAN_RIGHT || rule == ZERO_RIGHT) column[i].nan_rank = column[i].tiny_rank = n;
        if (rule == MISSING_IS_ZERO) column[i].nan_rank = plain_rank(forest, feature, 0.0);
    }
    batch->rank_size = most < 1u << 8 ? 1 : most < 1u << 16 ? 2 : 4;
}

static void plan_codes(const struct forest *forest, struct batch *batch, struct code_plan *code, uint32_t *direct) {
    const uint32_t *start = words(forest, CATEGORY_START), *codes = words(forest, CATEGORY_CODES);
    uint64_t used = 0;
    for (uint32_t i = 0; i < batch->n_categorical; i++) {
        uint32_t n = start[i + 1] - start[i], last = n ? codes[start[i + 1] - 1] : 0;
        uint64_t n_direct = (uint64_t)last + 1;
        uint32_t n_parts = (n + 2 + PART_CODES - 1) / PART_CODES;
        code[i] = (struct code_plan){.direct = used, .place = batch->n_places};
        if (n_parts <= SCAN_PARTS) code[i].n_places = forest->path == BAREBOAT_AVX512 ? 1 : n_parts;
        batch->n_places += code[i].n_places + (code[i].n_places != 0);
        if (!n || n_direct > 4ull * n + 64) continue;
        code[i].n_direct = (uint32_t)n_direct;
        for (uint64_t j = 0; j < n_direct; j++) direct[used + j] = n;
        for (uint32_t j = 0; j < n; j++) direct[used + codes[start[i] + j]] = j;
        used += n_direct;
    }
}

/* Whether any of 16 bytes is not zero. */
static int is_any(const uint8_t *bytes) {
    uint64_t part[2];
    memcpy(part, bytes, sizeof part);
    return (part[0] | part[1]) != 0;
}

static void plan_sets(const struct forest *forest, uint8_t *set_bytes, uint32_t *set_start, uint16_t *set_parts) {
    const uint32_t *offset = words(forest, SET_OFFSET);
    uint32_t n_sets = forest->count[SET_OFFSET] - 1, used = 0;
    for (uint32_t set = 0; set < n_sets; set++) {
        uint32_t size = offset[set + 1] - offset[set], filled = (size + 15) & ~15u;
        set_start[set] = used / 16;
        memcpy(set_bytes + used, bytes(forest, SETS) + offset[set], size);
        memset(set_bytes + used + size, 0, filled - size);
        set_parts[set] = 0;
        for (uint32_t i = 0; 16 * i < filled && i < SCAN_PARTS; i++)
            set_parts[set] |= (uint16_t)((uint32_t)is_any(set_bytes + used + 16 * i) << i);
        used += filled;
    }
    set_start[n_sets] = used / 16;
}

/* Leaves of a tree up to which a path's scan is faster than the walk. A vector of `lanes` rows takes about 4
 * instructions a node; a row of the walk about 15 a level. */
static uint32_t scan_limit(uint32_t path) {
    switch (path) {
    case BAREBOAT_AVX2:
    case BAREBOAT_AVX512: return SCAN_LEAVES;
    case BAREBOAT_NEON: return 128;
    default: return 0;
    }
}

/* Whether every set of the tree is over columns whose codes a scan can look up. */
static int sets_fit(const struct forest *forest, const struct batch *batch, uint64_t first, uint32_t n_nodes,
                    uint32_t *n_sets) {
    *n_sets = 0;
    for (uint32_t i = 0; i < n_nodes; i++) {
        struct node node = node_at(forest, first + i, forest->kind[NODES]);
        if (node.column < forest->n_numeric) continue;
        if (!batch->code[node.column - forest->n_numeric].n_places) return 0;
        ++*n_sets;
    }
    return 1;
}

static uint64_t write_scan(const struct forest *forest, uint64_t first, uint32_t n_nodes, struct scan_node *to) {
    for (uint32_t i = 0; i < n_nodes; i++) {
        struct node node = node_at(forest, first + i, forest->kind[NODES]);
        to[i] = (struct scan_node){node.column, (uint16_t)node.cut, (uint8_t)node.first, (uint8_t)node.right};
    }
    return n_nodes * sizeof *to;
}

/* Entry `to` of a walk: node `i` of the tree with its branches at 2 * (i + 1), or a leaf. */
static void write_entry(const struct forest *forest, const struct batch *batch, uint32_t tree, char *entries,
                        uint64_t to, struct node node, uint64_t i, uint32_t how) {
    uint32_t child = (uint32_t)(2 * (i + 1));
    if (how == WALK_NARROW) {
        /* Ranks lie in blocks as `rank ^ 0x7f...`, and so do cuts. */
        uint16_t cut = (uint16_t)(node.cut ^ (batch->rank_size == 1 ? 0x7f : 0x7fff));
        ((struct narrow_node *)entries)[to] = (struct narrow_node){(uint16_t)node.column, cut, child};
    } else if (node.column < forest->n_numeric) {
        uint32_t cut = node.cut ^ (batch->rank_size == 1 ? 0x7f : batch->rank_size == 2 ? 0x7fff : 0x7fffffff);
        ((struct wide_node *)entries)[to] = (struct wide_node){node.column, cut, child, 0};
    } else {
        const uint32_t *offset = words(forest, SET_OFFSET) + words(forest, SET_START)[tree] + node.cut;
        ((struct wide_node *)entries)[to] =
            (struct wide_node){IS_SET | (node.column - forest->n_numeric), offset[0], child, offset[1] - offset[0]};
    }
}

static void write_leaf(char *entries, uint64_t to, uint32_t leaf, uint32_t how) {
    if (how == WALK_NARROW)
        ((struct narrow_node *)entries)[to] = (struct narrow_node){0, 0, IS_LEAF | leaf};
    else
        ((struct wide_node *)entries)[to] = (struct wide_node){0, 0, IS_LEAF | leaf, 0};
}

/* The left branch of node `i` is node `i + 1`, or a leaf when its right branch starts at the next leaf. The right
 * branch is node `i + right - first`, unless what stands there does not start at `right`. */
static uint64_t write_walk(const struct forest *forest, const struct batch *batch, uint32_t tree, uint64_t first,
                           uint32_t n_nodes, char *to, uint32_t how) {
    uint32_t kind = forest->kind[NODES];
    struct node root = node_at(forest, first, kind);
    write_entry(forest, batch, tree, to, 0, root, 0, how);
    write_leaf(to, 1, 0, how);
    for (uint64_t i = 0; i < n_nodes; i++) {
        struct node node = node_at(forest, first + i, kind), left, right;
        uint64_t at = 2 * (i + 1), next = i + (node.right - node.first);
        if (node.right == node.first + 1) {
            write_leaf(to, at, node.first, how);
        } else {
            left = node_at(forest, first + i + 1, kind);
            write_entry(forest, batch, tree, to, at, left, i + 1, how);
        }
        right = next < n_nodes ? node_at(forest, first + next, kind) : root;
        if (next < n_nodes && right.first == node.right)
            write_entry(forest, batch, tree, to, at + 1, right, next, how);
        else
            write_leaf(to, at + 1, node.right, how);
    }
    return 2ull * (n_nodes + 1) * (how == WALK_NARROW ? sizeof(struct narrow_node) : sizeof(struct wide_node));
}

/* Returns how many bytes the nodes take. */
static uint64_t plan_trees(const struct forest *forest, struct batch *batch, struct tree_plan *plan, char *nodes) {
    const uint32_t *start = words(forest, LEAF_START);
    int is_narrow = forest->kind[NODES] < 2 && batch->rank_size < 4 && !batch->n_categorical;
    int is_file = forest->kind[NODES] == 0 && batch->rank_size == 1;
    uint32_t limit = batch->rank_size == 4 ? 0 : scan_limit(forest->path);
    uint64_t used = 0;
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) {
        uint64_t first = (uint64_t)start[tree] - tree;
        uint32_t n_leaves = start[tree + 1] - start[tree], n_sets = 0;
        int fits = !batch->n_categorical || sets_fit(forest, batch, first, n_leaves - 1, &n_sets);
        int scans = n_leaves <= limit && fits;
        plan[tree] = (struct tree_plan){first, SCAN_FILE, n_leaves - 1};
        if (n_leaves == 1 || (scans && is_file)) {
        } else if (scans) {
            plan[tree].how = SCAN_OWN;
            plan[tree].at = used;
            used += write_scan(forest, first, n_leaves - 1, (struct scan_node *)(nodes + used));
        } else {
            plan[tree].how = is_narrow ? WALK_NARROW : WALK_WIDE;
            plan[tree].at = used;
            used += write_walk(forest, batch, tree, first, n_leaves - 1, nodes + used, plan[tree].how);
        }
        batch->max_sets = scans && n_sets > batch->max_sets ? n_sets : batch->max_sets;
    }
    return used;
}

/* Trees by output, each output's in their order; `count` is room for a number of each output. */
static void plan_order(const struct forest *forest, uint32_t *order, uint32_t *count) {
    uint32_t n_trees = forest->header->n_trees, n_outputs = forest->header->n_outputs;
    if (forest->leaf_width > 1 || n_outputs == 1 || n_outputs > n_trees) {
        for (uint32_t tree = 0; tree < n_trees; tree++) order[tree] = tree;
        return;
    }
    for (uint32_t output = 0; output <= n_outputs; output++) count[output] = 0;
    for (uint32_t tree = 0; tree < n_trees; tree++) count[tree_output(forest, tree) + 1]++;
    for (uint32_t output = 0; output < n_outputs; output++) count[output + 1] += count[output];
    for (uint32_t tree = 0; tree < n_trees; tree++) order[count[tree_output(forest, tree)]++] = tree;
}

uint64_t batch_build(struct forest *forest, void *room) {
    char *at = room;
    struct batch *batch = take(&at, sizeof *batch);
    struct search *search = take(&at, searches_room(forest) * sizeof *search);
    struct column_plan *column = take(&at, forest->count[COLUMNS] * sizeof *column);
    void *keys = take(&at, keys_room(forest) * sizeof(double));
    struct tree_plan *tree = take(&at, trees_room(forest) * sizeof *tree);
    uint32_t *order = take(&at, (trees_room(forest) + 1) * sizeof *order);
    uint32_t *count = take(&at, (trees_room(forest) + 1) * sizeof *count);
    *batch = (struct batch){.search = search, .column = column, .keys = keys, .tree = tree, .order = order};
    batch->n_categorical = forest->count[COLUMNS] - forest->n_numeric;
    plan_columns(forest, batch, search, column, keys);
    if (batch->n_categorical) {
        struct code_plan *code = take(&at, forest->count[COLUMNS] * sizeof *code);
        uint32_t *direct = take(&at, direct_room(forest) * sizeof *direct);
        uint8_t *set_bytes = take(&at, sets_room(forest));
        uint32_t *set_start = take(&at, forest->count[SET_OFFSET] * sizeof *set_start);
        uint16_t *set_parts = take(&at, forest->count[SET_OFFSET] * sizeof *set_parts);
        batch->code = code;
        batch->direct = direct;
        batch->set_bytes = set_bytes;
        batch->set_start = set_start;
        batch->set_parts = set_parts;
        plan_codes(forest, batch, code, direct);
        plan_sets(forest, set_bytes, set_start, set_parts);
    }
    plan_order(forest, order, count);
    batch->nodes = at;
    return (uint64_t)(at - (char *)room) + plan_trees(forest, batch, tree, at);
}

END_SMALL
