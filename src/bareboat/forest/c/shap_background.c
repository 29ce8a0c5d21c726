/* Rows, a background and a tree -> interventional SHAP values.
 *
 * For one leaf, a row x and a row z of the background are each a set of bits, one for each feature of the path: whether
 * x (or z) satisfies all its splits. A coalition S reaches the leaf when x satisfies what is in S and z the rest, so
 * that the multilinear extension at t is the mean over z of prod(t x + (1 - t) z). For a path of few features it is
 * tabulated for every set x at once: the histogram of the sets z, transformed one feature after the other, as a
 * Kronecker product of 2 x 2 matrices acts. With P(t) of a set x so found, and a rule of points t and weights c,
 *
 *   near(x) = sum(c P / t),  both(x) = sum(c P / t) + sum(c P / (1 - t))
 *   the SHAP value of feature d is w (near(x) - both(x without d)),
 *
 * whether x satisfies d or not: P(x) = t A + B and P(x without d) = (1 - t) B for the means A and B over the z that
 * do not satisfy d and those that do, and the integral of A, or that of -B, is what is asked for.
 *
 * For long paths, and for few rows, the sets z are met one after the other: where every feature of the path is
 * satisfied by x or z, and a are so by x alone, b by z alone, each of the a gets w (a - 1)! b! / (a + b)! and each of
 * the b loses w a! (b - 1)! / (a + b)!.
 *
 * Sources: Lundberg et al. (2020), supplementary methods; Nadel and Wettenstein, WOODELF (2026), for tables over sets.
 */
#include <string.h>

#include "kernel.h"
#include "shap.h"

BEGIN_SMALL

/* Rows explained together, and the longest path that is tabulated: its rule has 8 points at most. */
enum { BLOCK = 512, MOST_TABULATED = 12, MOST_POINTS = 8 };

struct background_shap {
    struct walker walker;
    struct rule_of_sum rules[3]; /* of 1 and 2 vectors */
    uint32_t n_rows, n_background, n_words;
    double *value;               /* (n_features) */
    uint32_t *row;               /* (n_columns) */
    uint32_t *rank, *known_rank; /* (n_columns, n_rows) and (n_columns, n_background) */
    uint8_t *right;              /* (n_rows) or (n_background) */
    uint64_t *set, *known_set;   /* (depth + 1, n_words, n_rows) and (depth + 1, n_words, n_background) */
    double *base;                /* (n_outputs) */
    double *chance;              /* (2^MOST_TABULATED, MOST_POINTS) */
    double *near, *both;         /* (2^MOST_TABULATED) */
    double *phi;                 /* (n_slots) of one row by a leaf of value 1 */
    uint32_t *feature;           /* (n_slots) */
};

static void take_background_room(const struct forest *forest, struct room *room, struct background_shap *shap) {
    uint64_t n_columns = forest->count[COLUMNS], most = most_slots(forest), n = shap->n_background;
    uint64_t levels = forest->header->depth + 1ull;
    take_walker(forest, room, &shap->walker);
    for (uint32_t v = 1; v <= 2; v++) {
        double *numbers = take(room, v, 16 * sizeof *numbers);
        if (room->at) shap->rules[v] = gauss_legendre(v, numbers);
    }
    shap->n_words = (uint32_t)(most / 64 + 1);
    shap->value = take(room, forest->header->n_features, sizeof *shap->value);
    shap->row = take(room, n_columns, sizeof *shap->row);
    shap->rank = take(room, n_columns, BLOCK * sizeof *shap->rank);
    shap->known_rank = take(room, n_columns, n * sizeof *shap->known_rank);
    shap->right = take(room, n > BLOCK ? n : BLOCK, 1);
    shap->set = take(room, levels * shap->n_words, BLOCK * sizeof *shap->set);
    shap->known_set = take(room, levels * shap->n_words, n * sizeof *shap->known_set);
    shap->base = take(room, forest->header->n_outputs, sizeof *shap->base);
    shap->chance = take(room, 1u << MOST_TABULATED, MOST_POINTS * sizeof *shap->chance);
    shap->near = take(room, 1u << MOST_TABULATED, sizeof *shap->near);
    shap->both = take(room, 1u << MOST_TABULATED, sizeof *shap->both);
    shap->phi = take(room, most + 1, sizeof *shap->phi);
    shap->feature = take(room, most + 1, sizeof *shap->feature);
}

/* The sets of n rows one step further down the branch at hand. */
static void narrow(const struct background_shap *shap, const uint32_t *rank, uint32_t n, uint64_t *set) {
    const struct walker *walker = &shap->walker;
    const struct step *step = last_step(walker);
    const uint64_t *from = set + (uint64_t)(walker->n_steps - 1) * shap->n_words * n;
    uint64_t *to = set + (uint64_t)walker->n_steps * shap->n_words * n;
    uint64_t word = (uint64_t)step->slot / 64 * n, bit = step->slot % 64;
    uint8_t *right = shap->right;
    find_sides(walker, step, rank + (uint64_t)step->column * n, n, right);
    memcpy(to, from, (uint64_t)shap->n_words * n * sizeof *to);
    if (step->before)
        for (uint32_t i = 0; i < n; i++) to[word + i] &= ~((uint64_t)(right[i] ^ step->side) << bit);
    else
        for (uint32_t i = 0; i < n; i++) to[word + i] |= (uint64_t)(right[i] ^ step->side ^ 1) << bit;
}

/* near and both for every set of a row, from how often each set of the background occurs. */
static void tabulate(const struct background_shap *shap, const uint64_t *known, uint32_t n_slots) {
    const struct rule_of_sum *rule = shap->rules + vectors_for(n_slots);
    uint32_t n = 4 * rule->n_vectors, n_sets = 1u << n_slots;
    double *chance = shap->chance, each = 1.0 / shap->n_background;
    double to_far[MOST_POINTS], to_near[MOST_POINTS];
    memset(chance, 0, (uint64_t)n_sets * n * sizeof *chance);
    for (uint32_t i = 0; i < shap->n_background; i++)
        for (uint32_t q = 0; q < n; q++) chance[known[i] * n + q] += each;
    for (uint32_t bit = 1; bit < n_sets; bit <<= 1)
        for (uint32_t set = 0; set < n_sets; set = ((set | bit) + 1) & ~bit) {
            double *without = chance + (uint64_t)set * n, *with = without + (uint64_t)bit * n;
            for (uint32_t q = 0; q < n; q++) {
                double no = without[q], yes = with[q];
                without[q] = rule->near[q] * yes;
                with[q] = rule->far[q] * no + yes;
            }
        }
    for (uint32_t q = 0; q < n; q++) {
        to_far[q] = rule->weight[q] / rule->far[q];
        to_near[q] = rule->weight[q] / rule->near[q];
    }
    for (uint32_t set = 0; set < n_sets; set++) {
        double far = 0.0, near = 0.0;
        for (uint32_t q = 0; q < n; q++) {
            far += to_far[q] * chance[set * n + q];
            near += to_near[q] * chance[set * n + q];
        }
        shap->near[set] = far;
        shap->both[set] = far + near;
    }
}

/* (a - 1)! b! / (a + b)! */
static double part_of(uint32_t a, uint32_t b) {
    double part = 1.0 / a;
    for (uint32_t i = 1; i <= b; i++) part = part * i / (a + i);
    return part;
}

/* phi of one row, from every row of the background in turn. */
static void meet_all(const struct background_shap *shap, const uint64_t *own, const uint64_t *known, uint32_t n_slots) {
    uint32_t n = shap->n_background, n_words = (n_slots + 63) / 64;
    uint64_t last = ~0ull >> (64 * n_words - n_slots);
    double *phi = shap->phi;
    for (uint32_t d = 0; d < n_slots; d++) phi[d] = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = 0, b = 0, word = 0;
        double gain, loss;
        for (; word < n_words; word++) {
            uint64_t x = own[(uint64_t)word * shap->n_rows], z = known[(uint64_t)word * n + i];
            if ((x | z) != (word == n_words - 1 ? last : ~0ull)) break;
            a += (uint32_t)__builtin_popcountll(x & ~z);
            b += (uint32_t)__builtin_popcountll(z & ~x);
        }
        if (word < n_words || a + b == 0) continue;
        gain = a ? part_of(a, b) / n : 0.0;
        loss = b ? part_of(b, a) / n : 0.0;
        for (uint32_t d = 0; d < n_slots; d++) {
            uint64_t x = own[(uint64_t)(d / 64) * shap->n_rows] >> d % 64 & 1;
            uint64_t z = known[(uint64_t)(d / 64) * n + i] >> d % 64 & 1;
            phi[d] += x > z ? gain : z > x ? -loss : 0.0;
        }
    }
}

/* Whether each background row reaches the leaf -> base. */
static void add_to_base(const struct background_shap *shap, const uint64_t *known, uint32_t n_slots, uint32_t leaf) {
    const struct walker *walker = &shap->walker;
    uint32_t n = shap->n_background, n_words = (n_slots + 63) / 64, n_there = 0;
    uint32_t width = walker->forest->leaf_width;
    uint64_t last = ~0ull >> (64 * n_words - n_slots);
    double *base = shap->base + (width > 1 ? 0 : tree_output(walker->forest, walker->tree));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = 0;
        while (word < n_words && known[(uint64_t)word * n + i] == (word == n_words - 1 ? last : ~0ull)) word++;
        n_there += word == n_words;
    }
    for (uint32_t o = 0; o < width; o++) base[o] += leaf_value(walker, leaf, o) * n_there / n;
}

/* phi of one row and a leaf -> out, one value of the leaf after the other. */
static void spread(const struct background_shap *shap, const double *phi, uint32_t n_slots, uint32_t leaf,
                   double *out) {
    const struct walker *walker = &shap->walker;
    uint32_t n_outputs = walker->forest->header->n_outputs, width = walker->forest->leaf_width;
    if (width == 1) out += tree_output(walker->forest, walker->tree);
    for (uint32_t o = 0; o < width; o++) {
        double value = leaf_value(walker, leaf, o);
        for (uint32_t d = 0; d < n_slots; d++) out[(uint64_t)shap->feature[d] * n_outputs + o] += value * phi[d];
    }
}

/* What the leaf at hand adds to out. */
static void explain_leaf(struct background_shap *shap, double *out, int adds_base) {
    const struct walker *walker = &shap->walker;
    const struct header *header = walker->forest->header;
    uint32_t n_slots = walker->n_slots, leaf = branch_low(last_step(walker)), n = shap->n_rows;
    uint64_t level = (uint64_t)walker->n_steps * shap->n_words;
    uint64_t each = (uint64_t)header->n_features * header->n_outputs;
    const uint64_t *own = shap->set + level * n, *known = shap->known_set + level * shap->n_background;
    double *phi = shap->phi;
    if (adds_base) add_to_base(shap, known, n_slots, leaf);
    for (uint32_t i = 0; i < walker->n_steps; i++) shap->feature[walker->steps[i].slot] = walker->steps[i].feature;
    if (n_slots > MOST_TABULATED || (n_slots + 8ull) << n_slots > (uint64_t)n * shap->n_background) {
        for (uint32_t row = 0; row < n; row++) {
            meet_all(shap, own + row, known, n_slots);
            spread(shap, phi, n_slots, leaf, out + row * each);
        }
        return;
    }
    tabulate(shap, known, n_slots);
    for (uint32_t row = 0; row < n; row++) {
        double near = shap->near[own[row]];
        for (uint32_t d = 0; d < n_slots; d++) phi[d] = near - shap->both[own[row] & ~(1ull << d)];
        spread(shap, phi, n_slots, leaf, out + row * each);
    }
}

/* Return 0 when the tree is deeper than its header says. */
static int explain_block(struct background_shap *shap, uint32_t tree, double *out, int adds_base) {
    struct walker *walker = &shap->walker;
    memset(shap->set, 0, (uint64_t)shap->n_words * shap->n_rows * sizeof *shap->set);
    memset(shap->known_set, 0, (uint64_t)shap->n_words * shap->n_background * sizeof *shap->known_set);
    start_walk(walker, tree);
    while (walker->n_steps) {
        struct step *step = last_step(walker);
        if (step->side == 2) {
            leave(walker);
            continue;
        }
        narrow(shap, shap->rank, shap->n_rows, shap->set);
        narrow(shap, shap->known_rank, shap->n_background, shap->known_set);
        if (!branch_is_leaf(step)) {
            if (!descend(walker)) return 0;
            continue;
        }
        explain_leaf(shap, out, adds_base);
        step->side++;
    }
    return 1;
}

static int explain_blocks(struct background_shap *shap, const struct rows *rows, int64_t n_rows, double *out) {
    const struct forest *forest = shap->walker.forest;
    uint64_t each = (uint64_t)forest->header->n_features * forest->header->n_outputs;
    double rounds = has_flag(forest, AVERAGE) ? forest->rounds : 1.0;
    for (int64_t first = 0; first < n_rows || !first; first += BLOCK) { /* of no rows there is still a base */
        uint32_t n = (uint32_t)(n_rows - first < BLOCK ? n_rows - first : BLOCK);
        double *block = out + (uint64_t)first * each;
        shap->n_rows = n;
        rank_rows(forest, rows, first, n, n, shap->value, shap->row, shap->rank);
        for (uint64_t i = 0; i < n * each; i++) block[i] = 0.0;
        for (uint32_t tree = 0; tree < forest->header->n_trees; tree++) {
            if (leaves_of(forest, tree) == 1) {
                if (!first) add_only_leaf(forest, tree, shap->base);
            } else if (!explain_block(shap, tree, block, !first)) {
                return 0;
            }
        }
        for (uint64_t i = 0; i < n * each; i++) block[i] /= rounds;
    }
    return 1;
}

uint64_t background_scratch(const struct forest *forest, uint32_t n_background) {
    struct room room = {0, 0};
    struct background_shap shap = {.n_background = n_background};
    take_background_room(forest, &room, &shap);
    return room.used;
}

int32_t bareboat_shap_background(const void *memory, uint32_t number, const void *at, int64_t n_rows,
                                 int64_t row_stride, int64_t column_stride, const double *background,
                                 uint32_t n_background, double *out, double *base, void *scratch) {
    const struct forest *forest = memory;
    int64_t n_features = forest->header->n_features;
    struct rows rows = {at, row_stride, column_stride, number};
    struct rows known = {(const char *)background, 8 * n_features, 8, BAREBOAT_FLOAT64};
    struct room room = {scratch, 0};
    struct background_shap shap = {.n_background = n_background};
    int32_t error = bareboat_shap_ready(forest, 1);
    if (error) return error;
    take_background_room(forest, &room, &shap);
    memset(shap.walker.latest, 0, (uint64_t)n_features * sizeof *shap.walker.latest);
    memset(shap.base, 0, forest->header->n_outputs * sizeof *shap.base);
    rank_rows(forest, &known, 0, n_background, n_background, shap.value, shap.row, shap.known_rank);
    if (!explain_blocks(&shap, &rows, n_rows, out)) return BAREBOAT_HEADER | NODES << 8;
    finish_base(forest, shap.base, base);
    return BAREBOAT_OK;
}

END_SMALL
