/* Trees -> what 64 lanes scan, and the branches that are left below it. */
#include <string.h>

#include "row_table.h"
#include "simd.h"

enum { MOST_LEAVES = 256, WORTH_BRANCHES = 48, MOST_ROOM = 1 << 26, NEVER = 127, TURN = 128 };

/* What is known of a tree: up to 256 leaves, so every number of it fits a byte, but not a count of them. */
struct tree {
    uint64_t first; /* of its nodes */
    uint32_t leaf, n_leaves;
};

/* Node `node` of a tree, whose branch holds the leaves [low, high). One number, since a CPU is slow to load what it has
 * just stored in parts. */
typedef uint32_t place;

static inline place place_of(uint32_t node, uint32_t low, uint32_t high) { return node | low << 8 | high << 16; }
static inline uint32_t node_of(place place) { return place & 0xff; }
static inline uint32_t low_of(place place) { return place >> 8 & 0xff; }
static inline uint32_t high_of(place place) { return place >> 16; }

static struct tree tree_at(const struct forest *forest, uint32_t tree) {
    const uint32_t *start = words(forest, LEAF_START) + tree;
    return (struct tree){(uint64_t)start[0] - tree, start[0], start[1] - start[0]};
}

static uint32_t n_groups_of(const struct forest *forest) { return (forest->header->n_trees - 1) / LANES + 1; }

uint64_t scan_room(const struct forest *forest) {
    const struct header *header = forest->header;
    uint64_t depth = header->depth < 8 ? header->depth : 8, n_leaves = header->n_leaves;
    uint64_t n_groups = n_groups_of(forest), each = forest->kind[NODES] ? SCAN_WIDE : SCAN_NARROW;
    uint64_t a_branch = sizeof(struct branch) + (forest->kind[NODES] ? BRANCH_LEAVES : 0);
    uint64_t nodes = n_groups * ((1ull << depth) - 1) * each;
    if (n_leaves / MOST_LEAVES > header->n_trees) return 0;
    return n_groups * sizeof(struct lane_group) + 4 * (header->n_trees + 1ull) + 4 * n_leaves + 5 * 64 +
           n_leaves / 2 * a_branch + (nodes < MOST_ROOM ? nodes : MOST_ROOM);
}

/* How many nodes have more than `limit` leaves below them. Those are the upper part of a tree. */
INLINE uint32_t n_above(const struct forest *forest, struct tree tree, uint32_t limit, uint32_t kind) {
    place stack[MOST_LEAVES + 1];
    uint32_t n = 0, n_waiting = tree.n_leaves > limit;
    stack[0] = place_of(0, 0, tree.n_leaves);
    while (n_waiting) {
        place at = stack[--n_waiting];
        uint32_t node = node_of(at), low = low_of(at), high = high_of(at);
        uint32_t right = node_at(forest, tree.first + node, kind).right;
        n++;
        stack[n_waiting] = place_of(node + right - low, right, high);
        n_waiting += high - right > limit;
        stack[n_waiting] = place_of(node + 1, low, right);
        n_waiting += right - low > limit;
    }
    return n;
}

/* Count the nodes of each tree's upper part, and find out whether every tree is small enough and whether scanning the
 * upper parts alone saves enough for looking at branches afterwards: a branch costs about as much as a node that 64
 * lanes look at. */
static int choose_limit(const struct forest *forest, uint32_t *limit, uint32_t *n_upper) {
    uint64_t whole = 0, upper = 0;
    uint32_t n_trees = forest->header->n_trees, n_groups = n_groups_of(forest), kind = forest->kind[NODES];
    for (uint32_t group = 0; group < n_groups; group++) {
        uint32_t most_whole = 0, most_upper = 0;
        for (uint32_t number = group * LANES; number < n_trees && number < (group + 1) * LANES; number++) {
            struct tree tree = tree_at(forest, number);
            if (tree.n_leaves > MOST_LEAVES) return 0;
            n_upper[number] = kind ? n_above(forest, tree, BRANCH_LEAVES, 1) : n_above(forest, tree, BRANCH_LEAVES, 0);
            most_whole = tree.n_leaves - 1 > most_whole ? tree.n_leaves - 1 : most_whole;
            most_upper = n_upper[number] > most_upper ? n_upper[number] : most_upper;
        }
        whole += most_whole;
        upper += most_upper;
    }
    *limit = whole > upper + (uint64_t)WORTH_BRANCHES * n_groups ? BRANCH_LEAVES : 1;
    return 1;
}

/* What building the trees writes to. */
struct building {
    uint8_t *nodes; /* of the group */
    uint32_t *exits;
    struct branch *branches;
    uint8_t (*high)[BRANCH_LEAVES];
    uint32_t n_exits, n_branches;
};

/* What it reads: a copy, since a compiler must fear that bytes which are written change what lies in the forest. */
struct trees {
    const void *nodes;
    uint32_t n_numeric, limit;
};

INLINE void put_cut(uint8_t *low, uint8_t *high, struct node node, int is_categorical, uint32_t kind) {
    *low = is_categorical ? NEVER : (uint8_t)(node.cut ^ TURN);
    if (kind) *high = is_categorical ? NEVER : (uint8_t)(node.cut >> 8 ^ TURN);
}

/* Lay out the n nodes of a branch that starts at leaf `low`: preorder in the file, by the leaf that their right branch
 * starts at here. A leaf's path starts as its left neighbour's path to the node between the two. */
INLINE void build_branch(struct branch *branch, uint8_t *high, struct trees trees, uint64_t start, uint32_t n,
                         uint32_t low, uint32_t kind) {
    memset(branch, 0, sizeof *branch);
    memset(branch->cut, NEVER, BRANCH_LEAVES);
    if (kind) memset(high, NEVER, BRANCH_LEAVES);
    for (uint32_t i = 0; i < n; i++) {
        struct node node = node_in(trees.nodes, start + i, kind);
        uint32_t first = node.first - low, at = node.right - low - 1, path;
        int is_categorical = node.column >= trees.n_numeric;
        branch->column[at] = is_categorical ? 0 : (uint8_t)node.column;
        put_cut(branch->cut + at, kind ? high + at : 0, node, is_categorical, kind);
        path = branch->path[first] | 1u << at;
        branch->path[first] = branch->path[at + 1] = (uint16_t)path;
    }
    branch->column[BRANCH_LEAVES - 1] = (uint8_t)low;
}

/* Write the upper part of a tree into its lane and its exits behind the others. Nodes lie in preorder, so that of the
 * branches that are not divided yet, the one that starts at a node's first leaf is the node's own, and all leaves to
 * the left of it that have no exit yet are exits by themselves. */
INLINE void build_tree(struct building *to, struct trees trees, struct tree tree, uint32_t lane, uint32_t kind) {
    uint16_t end[MOST_LEAVES + 1];
    uint8_t exit_of[MOST_LEAVES], first[MOST_LEAVES], right[MOST_LEAVES];
    uint8_t *at = to->nodes + lane;
    uint32_t n = 0, size = kind ? SCAN_WIDE : SCAN_NARROW, *exits = to->exits + to->n_exits;
    uint32_t n_branches = to->n_branches, n_exits = 0, reached = 0;
    end[0] = (uint16_t)tree.n_leaves;
    for (uint32_t i = 0; i + 1 < tree.n_leaves;) {
        struct node node = node_in(trees.nodes, tree.first + i, kind);
        uint32_t high = end[node.first], n_leaves = high - node.first;
        int is_categorical = node.column >= trees.n_numeric;
        for (; reached < node.first; reached++) {
            exit_of[reached] = (uint8_t)n_exits;
            exits[n_exits++] = tree.leaf + reached;
        }
        if (n_leaves <= trees.limit) {
            exit_of[reached] = (uint8_t)n_exits;
            exits[n_exits++] = EXIT_TO_BRANCH | n_branches;
            build_branch(to->branches + n_branches, kind ? to->high[n_branches] : 0, trees, tree.first + i,
                         n_leaves - 1, reached, kind);
            n_branches++;
            reached += n_leaves;
            i += n_leaves - 1;
            continue;
        }
        end[node.right] = (uint16_t)high;
        end[node.first] = (uint16_t)node.right;
        first[n] = (uint8_t)node.first;
        right[n++] = (uint8_t)node.right;
        *at = is_categorical ? 0 : (uint8_t)node.column;
        put_cut(at + LANES, kind ? at + SCAN_NARROW : 0, node, is_categorical, kind);
        at += size;
        i++;
    }
    for (; reached < tree.n_leaves; reached++) {
        exit_of[reached] = (uint8_t)n_exits;
        exits[n_exits++] = tree.leaf + reached;
    }
    at = to->nodes + lane;
    for (uint32_t i = 0; i < n; i++, at += size) {
        at[2 * LANES] = exit_of[first[i]];
        at[3 * LANES] = (uint8_t)(exit_of[right[i]] - exit_of[first[i]]);
    }
    to->n_exits += n_exits;
    to->n_branches = n_branches;
}

/* How many nodes of a tree are scanned. */
static uint32_t n_scanned(const struct forest *forest, uint32_t tree, uint32_t limit, const uint32_t *n_upper) {
    return limit == 1 ? tree_at(forest, tree).n_leaves - 1 : n_upper[tree];
}

/* How many nodes the lane with most of them has. */
static uint32_t n_group_nodes(const struct forest *forest, uint32_t group, uint32_t limit, const uint32_t *n_upper) {
    uint32_t most = 0, n_trees = forest->header->n_trees;
    for (uint32_t tree = group * LANES; tree < n_trees && tree < (group + 1) * LANES; tree++) {
        uint32_t n = n_scanned(forest, tree, limit, n_upper);
        most = n > most ? n : most;
    }
    return most;
}

/* Nodes where no lane goes anywhere. */
static void clear_nodes(uint8_t *nodes, uint32_t n, uint32_t size) {
    for (uint32_t i = 0; i < n; i++, nodes += size) {
        memset(nodes, 0, size);
        memset(nodes + LANES, NEVER, LANES);
        if (size == SCAN_WIDE) memset(nodes + SCAN_NARROW, NEVER, LANES);
    }
}

/* Set where each group's nodes start; return how many there are. */
static uint32_t place_groups(const struct forest *forest, struct lane_group *groups, uint32_t limit,
                             const uint32_t *n_upper, uint32_t size) {
    uint32_t n_nodes = 0;
    for (uint32_t group = 0; group < n_groups_of(forest); group++) {
        uint32_t n = n_group_nodes(forest, group, limit, n_upper);
        groups[group] = (struct lane_group){(uint64_t)n_nodes * size, n, n_nodes};
        n_nodes += n;
    }
    return n_nodes;
}

/* A tree has an exit more than nodes that are scanned. Return how many there are in all. */
static uint32_t place_exits(const struct forest *forest, uint32_t limit, uint32_t *n_upper) {
    uint32_t n_exits = 0;
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) {
        uint32_t n = n_scanned(forest, tree, limit, n_upper) + 1;
        n_upper[tree] = n_exits;
        n_exits += n;
    }
    n_upper[forest->header->n_trees] = n_exits;
    return n_exits;
}

/* What is of unknown length, the branches, is laid out last, so that memory is touched without gaps. */
int build_scan(const struct forest *forest, struct row_table *table, struct room *room) {
    uint32_t n_trees = forest->header->n_trees, n_groups = n_groups_of(forest), kind = forest->kind[NODES];
    uint32_t size = kind ? SCAN_WIDE : SCAN_NARROW, limit, n_nodes, n_exits;
    struct building to = {0};
    struct lane_group *groups = take(room, n_groups * sizeof *groups);
    uint32_t *exit_start = take(room, 4 * (n_trees + 1ull));
    struct trees trees = {forest->at[NODES], forest->n_numeric, 1};
    uint8_t *nodes;
    if (!groups || !exit_start) return 0;
    if (kind > 1 || forest->n_numeric > MOST_COLUMNS || !choose_limit(forest, &limit, exit_start)) return 0;
    trees.limit = limit;
    n_nodes = place_groups(forest, groups, limit, exit_start, size);
    n_exits = place_exits(forest, limit, exit_start);
    to.exits = take(room, 4ull * n_exits);
    nodes = take(room, (uint64_t)n_nodes * size);
    if (kind && limit > 1) to.high = take(room, (uint64_t)n_exits * sizeof *to.high);
    to.branches = (struct branch *)room->at;
    if (!to.exits || !nodes || (kind && limit > 1 && !to.high)) return 0;
    for (uint32_t group = 0; group < n_groups; group++) {
        to.nodes = nodes + groups[group].nodes;
        clear_nodes(to.nodes, groups[group].n_nodes, size);
        for (uint32_t tree = group * LANES; tree < n_trees && tree < (group + 1) * LANES; tree++) {
            struct tree at = tree_at(forest, tree);
            uint32_t n = exit_start[tree + 1] - exit_start[tree];
            uint32_t most = n < at.n_leaves - n ? n : at.n_leaves - n; /* branches: exits of two leaves or more */
            if (room->left / sizeof *to.branches < (uint64_t)to.n_branches + most) return 0;
            if (kind)
                build_tree(&to, trees, at, tree % LANES, 1);
            else
                build_tree(&to, trees, at, tree % LANES, 0);
        }
    }
    take(room, to.n_branches * sizeof *to.branches);
    table->nodes = nodes;
    table->n_groups = n_groups;
    table->n_words = n_nodes;
    table->n_branches = to.n_branches;
    table->n_tables = forest->n_numeric > FANOUT ? (forest->n_numeric - 1) / FANOUT + 1 : 1;
    table->is_wide = kind != 0;
    table->has_exits = limit > 1;
    table->groups = groups;
    table->exit_start = exit_start;
    table->exits = to.exits;
    table->branches = to.branches;
    table->branch_high = (const uint8_t(*)[BRANCH_LEAVES])to.high;
    return 1;
}
