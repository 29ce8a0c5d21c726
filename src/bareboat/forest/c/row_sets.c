/* Sets of categories -> for each category one bit a node: whether it sends a row to the right. One row then has all
 * its categorical splits decided by as many looks as it has categorical columns. */
#include <string.h>

#include "row_table.h"

enum { MOST_BITS = 1 << 23 }; /* bytes; a forest that takes more is walked instead */

static uint32_t n_codes_of(const struct forest *forest, uint32_t column) {
    const uint32_t *start = words(forest, CATEGORY_START) + column;
    return start[1] - start[0] + 2; /* with "no known code" and NaN */
}

uint64_t sets_room(const struct forest *forest) {
    uint64_t n_columns = forest->count[COLUMNS], n_codes = forest->count[CATEGORY_CODES] + 2 * n_columns;
    uint64_t n_leaves = forest->header->n_leaves, n_nodes = n_leaves < 256 ? n_leaves : 256;
    uint64_t size = n_codes * (n_leaves + 8 * n_nodes * (forest->header->n_trees / LANES + 1) + 64);
    if (!forest->count[SET_START]) return 0;
    return (size < MOST_BITS ? size : MOST_BITS) + 4 * n_columns + 128;
}

/* Call `bit` for every categorical node with its column, set and bit. */
struct bits {
    const struct forest *forest;
    const struct row_table *table;
    uint8_t *at;
    int is_first; /* all bits on, for the first category of each column, or off for those of each set */
};

static void put_bits(const struct bits *bits, uint32_t column, uint32_t set, uint64_t bit) {
    const uint32_t *offset = words(bits->forest, SET_OFFSET) + set, *start = bits->table->bits_start;
    uint64_t stride = bits->table->bits_stride;
    uint8_t *at = bits->at + start[column] * stride + bit / 8, mask = (uint8_t)(1u << bit % 8);
    if (bits->is_first) {
        *at |= mask;
        return;
    }
    for (uint32_t i = offset[0]; i < offset[1]; i++)
        for (uint32_t left = bytes(bits->forest, SETS)[i]; left; left &= left - 1)
            at[(8 * (uint64_t)(i - offset[0]) + (uint32_t)__builtin_ctz(left)) * stride] &= (uint8_t)~mask;
}

/* The upper part of a tree stands in its lane; a node is found again by walking down as build_tree did. */
static void put_tree(const struct bits *bits, uint32_t tree) {
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
                put_bits(bits, node.column - forest->n_numeric, set + node.cut,
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
                put_bits(bits, node.column - forest->n_numeric, set + node.cut,
                         (uint64_t)LANES * bits->table->n_words + BRANCH_LEAVES * branch + node.right - low - 1);
        }
        exit++;
    }
}

int build_sets(const struct forest *forest, struct row_table *table, struct room *room) {
    uint32_t n_columns = forest->count[COLUMNS] - forest->n_numeric, n_codes = 0;
    uint32_t *start = take(room, 4 * (n_columns + 1ull));
    struct bits bits = {forest, table, (uint8_t *)room->at, 1};
    if (!start) return 0;
    table->n_categorical = n_columns;
    table->bits_start = start;
    table->bits_stride = (8ull * table->n_words + 2ull * table->n_branches + 63) & ~63ull;
    for (uint32_t column = 0; column < n_columns; column++) {
        start[column] = n_codes;
        n_codes += n_codes_of(forest, column);
    }
    table->bits = take(room, n_codes * table->bits_stride);
    if (!table->bits) return 0;
    for (uint32_t column = 0; column < n_columns; column++) memset(bits.at + start[column] * table->bits_stride, 0, table->bits_stride);
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) put_tree(&bits, tree);
    for (uint32_t column = 0; column < n_columns; column++)
        for (uint32_t code = 1; code < n_codes_of(forest, column); code++) {
            uint8_t *first = bits.at + start[column] * table->bits_stride;
            memcpy(first + code * table->bits_stride, first, table->bits_stride);
        }
    bits.is_first = 0;
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) put_tree(&bits, tree);
    return 1;
}
