/* A tree -> its leaves from left to right, each with its path; rows -> the side that each split sends them to. */
#include <math.h>

#include "shap.h"

void *take(struct room *room, uint64_t count, uint64_t size) {
    void *at = room->at ? room->at + room->used : 0;
    room->used += (count * size + 63) & ~63ull;
    return at;
}

uint32_t vectors_for(uint32_t n_slots) {
    uint32_t half = (n_slots + 1) / 2, root = (uint32_t)ceil(3.2 * sqrt((double)n_slots));
    return ((half < root ? half : root) + 3) / 4 + !n_slots;
}

struct rule_of_sum gauss_legendre(uint32_t n_vectors, double *room) {
    uint32_t n = 4 * n_vectors;
    double *far = room, *near = room + n, *weight = room + 2 * n, *cold = room + 3 * n;
    for (uint32_t i = 0; i < (n + 1) / 2; i++) {
        double x = cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5)), slope = 1.0;
        for (int turn = 0; turn < 100; turn++) { /* Newton's way to the root of the Legendre polynomial */
            double value = 1.0, previous = 0.0, step;
            for (uint32_t k = 1; k <= n; k++) {
                double next = ((2.0 * k - 1.0) * x * value - (k - 1.0) * previous) / k;
                previous = value;
                value = next;
            }
            slope = n * (x * value - previous) / (x * x - 1.0);
            step = value / slope;
            x -= step;
            if (fabs(step) < 1e-15) break;
        }
        far[i] = near[n - 1 - i] = 0.5 * (1.0 + x);
        near[i] = far[n - 1 - i] = 0.5 * (1.0 - x);
        weight[i] = weight[n - 1 - i] = 1.0 / ((1.0 - x * x) * slope * slope);
    }
    for (uint32_t i = 0; i < n; i++) cold[i] = -1.0 / near[i];
    return (struct rule_of_sum){n_vectors, far, near, weight, cold};
}

uint32_t most_slots(const struct forest *forest) {
    uint32_t n_features = forest->header->n_features, depth = forest->header->depth;
    return depth < n_features ? depth : n_features;
}

void take_walker(const struct forest *forest, struct room *room, struct walker *walker) {
    walker->forest = forest;
    walker->steps = take(room, forest->header->depth + 1ull, sizeof *walker->steps);
    walker->latest = take(room, forest->header->n_features, sizeof *walker->latest);
}

uint32_t leaves_of(const struct forest *forest, uint32_t tree) {
    const uint32_t *start = words(forest, LEAF_START) + tree;
    return start[1] - start[0];
}

void add_only_leaf(const struct forest *forest, uint32_t tree, double *base) {
    uint64_t row = leaf_row(forest, words(forest, LEAF_START)[tree]) * forest->leaf_width;
    if (forest->leaf_width == 1) base += tree_output(forest, tree);
    for (uint32_t o = 0; o < forest->leaf_width; o++) base[o] += number_at(forest, LEAF_VALUES, row + o);
}

void finish_base(const struct forest *forest, const double *trees, double *base) {
    double rounds = has_flag(forest, AVERAGE) ? forest->rounds : 1.0;
    for (uint32_t o = 0; o < forest->header->n_outputs; o++)
        base[o] = ((forest->count[BASE] ? doubles(forest, BASE)[o] : 0.0) + trees[o]) / rounds;
}

static void enter(struct walker *walker, uint64_t split, uint32_t low, uint32_t high) {
    const struct forest *forest = walker->forest;
    struct node node = node_at(forest, split, forest->kind[NODES]);
    struct step *step = walker->steps + walker->n_steps++;
    uint32_t feature = feature_of(words(forest, COLUMNS)[node.column]), before = walker->latest[feature];
    uint32_t slot = before ? walker->steps[before - 1].slot : walker->n_slots++;
    *step = (struct step){split, low, node.right, high, node.column, node.cut, feature, before, slot, 0};
    walker->latest[feature] = walker->n_steps;
}

void start_walk(struct walker *walker, uint32_t tree) {
    const uint32_t *start = words(walker->forest, LEAF_START) + tree;
    walker->tree = tree;
    walker->first_leaf = start[0];
    walker->n_leaves = start[1] - start[0];
    walker->n_steps = walker->n_slots = 0;
    enter(walker, (uint64_t)start[0] - tree, 0, walker->n_leaves);
}

int descend(struct walker *walker) {
    const struct step *step = last_step(walker);
    uint64_t split = step->split + (step->side ? step->middle - step->low : 1);
    if (walker->n_steps == walker->forest->header->depth) return 0;
    enter(walker, split, branch_low(step), branch_high(step));
    return 1;
}

void leave(struct walker *walker) {
    const struct step *step = last_step(walker);
    walker->latest[step->feature] = step->before;
    walker->n_slots -= !step->before;
    if (--walker->n_steps) last_step(walker)->side++;
}

void rank_rows(const struct forest *forest, const struct rows *rows, int64_t first, uint32_t n, uint32_t n_room,
               double *value, uint32_t *row, uint32_t *rank) {
    for (uint32_t i = 0; i < n; i++) {
        read_row(forest, rows, first + i, value);
        rank_row(forest, value, row);
        for (uint32_t column = 0; column < forest->count[COLUMNS]; column++)
            rank[(uint64_t)column * n_room + i] = row[column];
    }
}

void find_sides(const struct walker *walker, const struct step *step, const uint32_t *rank, uint32_t n,
                uint8_t *right) {
    const struct forest *forest = walker->forest;
    const uint32_t *offset;
    uint32_t width;
    if (step->column < forest->n_numeric) {
        for (uint32_t i = 0; i < n; i++) right[i] = rank[i] > step->cut;
        return;
    }
    offset = words(forest, SET_OFFSET) + words(forest, SET_START)[walker->tree] + step->cut;
    width = offset[1] - offset[0];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = rank[i] / 8;
        right[i] = at >= width || !(bytes(forest, SETS)[offset[0] + at] >> rank[i] % 8 & 1);
    }
}
