/* Sets of categories -> for each category one bit a node: whether it sends a row to the right. One row then has all
 * its categorical splits decided by as many looks as it has categorical columns. */
#include <string.h>

#include "row_table.h"
#include "simd.h"

enum { MOST_BITS = 1 << 23 }; /* bytes; a forest that takes more is walked instead */

static uint32_t n_codes_of(const struct forest *forest, uint32_t column) {
    const uint32_t *start = words(forest, CATEGORY_START) + column;
    return start[1] - start[0] + 2; /* with "no known code" and NaN */
}

/* A categorical node: which bit it has, and the next one of its column, or NONE. */
struct split {
    uint32_t bit, set, next;
};
enum { NONE = 0xffffffff };

/* A split of the column at hand: its set, and the 64 categories of it that are looked at together, on where they are
 * not in the set. */
struct outside {
    uint64_t codes;
    uint32_t bit, at, end;
};

/* What the bits are made in: the splits, those of one column, and for each bit eight categories. */
struct bits {
    const struct forest *forest;
    const struct row_table *table;
    struct split *split;
    uint32_t *first; /* (n_categorical) splits */
    uint32_t n_splits;
    struct outside *outside;
    uint8_t *eight; /* (8 * bits_stride) */
};

static uint64_t most(uint64_t size) { return size < MOST_BITS ? size : MOST_BITS; }

uint64_t sets_room(const struct forest *forest) {
    uint64_t n_columns = forest->count[COLUMNS], n_codes = forest->count[CATEGORY_CODES] + 2 * n_columns;
    uint64_t n_leaves = forest->header->n_leaves, n_nodes = n_leaves < 256 ? n_leaves : 256;
    uint64_t stride = n_leaves + 8 * n_nodes * (forest->header->n_trees / LANES + 1) + 64;
    if (!forest->count[SET_START]) return 0;
    return most(n_codes * stride) + 8 * most(stride) + n_leaves * (sizeof(struct split) + sizeof(struct outside)) +
           8 * n_columns + 6 * 64;
}

static void put_split(struct bits *bits, uint32_t column, uint32_t set, uint64_t bit) {
    bits->split[bits->n_splits] = (struct split){(uint32_t)bit, set, bits->first[column]};
    bits->first[column] = bits->n_splits++;
}

/* The upper part of a tree stands in its lane; a node is found again by walking down as build_tree did. */
static void put_tree(struct bits *bits, uint32_t tree) {
    const struct forest *forest = bits->forest;
    const uint32_t *start = words(forest, LEAF_START) + tree;
    const struct lane_group *group = bits->table->groups + tree / LANES;
    uint32_t set = words(forest, SET_START)[tree], n_leaves = start[1] - start[0], kind = forest->kind[NODES];
    uint32_t limit = bits->table->has_exits ? BRANCH_LEAVES : 1, n = 0, n_waiting = 1;
    const uint32_t *exit = bits->table->exits + bits->table->exit_start[tree];
    struct {
        uint32_t node, low, high;
    } stack[257];
    stack[0].node = stack[0].low = 0;
    stack[0].high = n_leaves;
    while (n_waiting) {
        uint32_t at = stack[--n_waiting].node, low = stack[n_waiting].low, high = stack[n_waiting].high;
        if (high - low > limit) {
            struct node node = node_at(forest, (uint64_t)start[0] - tree + at, kind);
            if (node.column >= forest->n_numeric)
                put_split(bits, node.column - forest->n_numeric, set + node.cut,
                         (uint64_t)LANES * (group->bits + n) + tree % LANES);
            n++;
            stack[n_waiting].node = at + node.right - low;
            stack[n_waiting].low = node.right;
            stack[n_waiting++].high = high;
            stack[n_waiting].node = at + 1;
            stack[n_waiting].low = low;
            stack[n_waiting++].high = node.right;
            continue;
        }
        for (uint32_t i = 0; i + 1 < high - low; i++) {
            struct node node = node_at(forest, (uint64_t)start[0] - tree + at + i, kind);
            uint64_t branch = *exit & ~EXIT_TO_BRANCH;
            if (node.column >= forest->n_numeric)
                put_split(bits, node.column - forest->n_numeric, set + node.cut,
                         (uint64_t)LANES * bits->table->n_words + BRANCH_LEAVES * branch + node.right - low - 1);
        }
        exit++;
    }
}

/* 64 bytes, one for each bit, with a bit for each of eight categories -> 64 bits for each of these. */
#if defined(__x86_64__)
static inline void turn_eight(const uint8_t *from, uint64_t *to) {
    __m128i part[4];
    UNROLL for (int i = 0; i < 4; i++) part[i] = _mm_loadu_si128((const __m128i *)(const void *)(from + 16 * i));
    UNROLL for (int bit = 7; bit >= 0; bit--) {
        uint64_t all = 0;
        UNROLL for (int i = 0; i < 4; i++) {
            all |= (uint64_t)(uint32_t)_mm_movemask_epi8(part[i]) << 16 * i;
            part[i] = _mm_add_epi8(part[i], part[i]);
        }
        to[bit] = all;
    }
}
#else
/* Swap the bits of `a` under `mask` with those of `b` that lie `by` above. */
static inline void swap_bits(uint64_t *a, uint64_t *b, uint32_t by, uint64_t mask) {
    uint64_t differ = (*b >> by ^ *a) & mask;
    *a ^= differ;
    *b ^= differ << by;
}

/* Eight bytes of eight bits: bit j of byte i <-> bit i of byte j. */
static inline uint64_t turn_bits(uint64_t x) {
    uint64_t differ = (x >> 7 ^ x) & 0x00aa00aa00aa00aau;
    x ^= differ ^ differ << 7;
    differ = (x >> 14 ^ x) & 0x0000cccc0000ccccu;
    x ^= differ ^ differ << 14;
    differ = (x >> 28 ^ x) & 0x00000000f0f0f0f0u;
    return x ^ differ ^ differ << 28;
}

static inline void turn_eight(const uint8_t *from, uint64_t *to) {
    memcpy(to, from, 64);
    UNROLL for (int i = 0; i < 8; i++) to[i] = turn_bits(to[i]);
    UNROLL for (int i = 0; i < 4; i++) swap_bits(to + i + 4, to + i, 32, 0x00000000ffffffffu);
    UNROLL for (int i = 0; i < 8; i++)
        if (!(i & 2)) swap_bits(to + i + 2, to + i, 16, 0x0000ffff0000ffffu);
    UNROLL for (int i = 0; i < 4; i++) swap_bits(to + 2 * i + 1, to + 2 * i, 8, 0x00ff00ff00ff00ffu);
}
#endif

/* Collect the splits of a column; return how many there are. */
static uint32_t collect_splits(const struct bits *bits, uint32_t column) {
    const uint32_t *offset = words(bits->forest, SET_OFFSET);
    uint32_t n = 0;
    for (uint32_t i = bits->first[column]; i != NONE; i = bits->split[i].next) {
        uint32_t set = bits->split[i].set;
        bits->outside[n++] = (struct outside){0, bits->split[i].bit, offset[set], offset[set + 1]};
    }
    return n;
}

/* Which of the next 64 codes are not in the sets of n splits. Eight bytes of a set at once, since sets lie apart. */
static void read_sets(const struct bits *bits, uint32_t n) {
    const uint8_t *sets = bytes(bits->forest, SETS);
    for (uint32_t i = 0; i < n; i++) {
        struct outside *split = bits->outside + i;
        uint32_t left = split->end - split->at;
        uint64_t inside = 0;
        if (left >= 8)
            memcpy(&inside, sets + split->at, 8);
        else
            for (uint32_t byte = 0; byte < left; byte++) inside |= (uint64_t)sets[split->at + byte] << 8 * byte;
        split->codes = ~inside;
        split->at += left < 8 ? left : 8;
    }
}

/* The bits of a column, from `to` on: all that stand for its splits, where these have not the category in their set. */
static void put_column(const struct bits *bits, uint32_t column, uint8_t *to) {
    uint64_t stride = bits->table->bits_stride;
    uint32_t n_codes = n_codes_of(bits->forest, column), n_splits = collect_splits(bits, column);
    memset(bits->eight, 0, 8 * stride);
    for (uint32_t code = 0; code < n_codes; code += 8, to += 8 * stride) {
        uint32_t n = n_codes - code < 8 ? n_codes - code : 8;
        if (code % 64 == 0) read_sets(bits, n_splits);
        for (uint32_t i = 0; i < n_splits; i++)
            bits->eight[bits->outside[i].bit] = (uint8_t)(bits->outside[i].codes >> code % 64);
        for (uint64_t at = 0; at < stride; at += 8) {
            uint64_t eight[8];
            turn_eight(bits->eight + 8 * at, eight);
            for (uint32_t i = 0; i < n; i++) memcpy(to + i * stride + at, eight + i, 8);
        }
    }
}

int build_sets(const struct forest *forest, struct row_table *table, struct room *room) {
    uint32_t n_columns = forest->count[COLUMNS] - forest->n_numeric, n_codes = 0;
    uint32_t *start = take(room, 4ull * n_columns);
    struct bits bits = {.forest = forest, .table = table};
    struct room spare;
    uint8_t *to;
    if (!start) return 0;
    table->n_categorical = n_columns;
    table->bits_start = start;
    table->bits_stride = (8ull * table->n_words + 2ull * table->n_branches + 63) & ~63ull;
    for (uint32_t column = 0; column < n_columns; column++) {
        start[column] = n_codes;
        n_codes += n_codes_of(forest, column);
    }
    to = n_codes * table->bits_stride <= MOST_BITS ? take(room, n_codes * table->bits_stride) : 0;
    spare = *room; /* what is taken from here on is not needed afterwards */
    bits.first = take(&spare, 4ull * n_columns);
    bits.split = take(&spare, (forest->header->n_leaves - forest->header->n_trees) * sizeof *bits.split);
    bits.outside = take(&spare, (forest->header->n_leaves - forest->header->n_trees) * sizeof *bits.outside);
    bits.eight = take(&spare, 8 * table->bits_stride);
    if (!to || !bits.first || !bits.split || !bits.outside || !bits.eight) return 0;
    for (uint32_t column = 0; column < n_columns; column++) bits.first[column] = NONE;
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) put_tree(&bits, tree);
    for (uint32_t column = 0; column < n_columns; column++)
        put_column(&bits, column, to + start[column] * table->bits_stride);
    table->bits = to;
    return 1;
}
