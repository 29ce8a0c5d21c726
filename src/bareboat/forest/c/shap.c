/* An open forest and rows -> SHAP values by the covers of its leaves. */
#include "shap.h"

#include <string.h>

#include "kernel.h"
#include "paths.h"

BEGIN_SMALL

static double cover_at(const struct forest *forest, enum tag tag, uint64_t i) {
    if (forest->kind[tag] < 2) return number_at(forest, tag, i);
    if (forest->kind[tag] == 2) return bytes(forest, tag)[i];
    return forest->kind[tag] == 3 ? ((const uint16_t *)forest->at[tag])[i] : words(forest, tag)[i];
}

int32_t bareboat_shap_ready(const void *memory, uint32_t with_background) {
    const struct forest *forest = memory;
    if (forest->count[LINEAR_START]) return BAREBOAT_UNKNOWN | LINEAR_START << 8;
    return with_background || forest->count[LEAF_COVER] ? BAREBOAT_OK : BAREBOAT_COUNT | LEAF_COVER << 8;
}

static void take_room(const struct forest *forest, struct room *room, struct cover_shap *shap) {
    const struct header *header = forest->header;
    uint64_t depth = header->depth + 1ull, n_columns = forest->count[COLUMNS];
    uint64_t most = vectors_for(most_slots(forest)), vector = 32, a_row = 3 * vector * most;
    uint64_t together = 8 * most < 256 ? 256 : 8 * most; /* the most of n * AT_ONCE(n) */
    shap->most_vectors = (uint32_t)most;
    take_walker(forest, room, &shap->walker);
    shap->share = take(room, 2ull * (header->n_leaves - header->n_trees), sizeof *shap->share);
    shap->n_vectors = take(room, header->n_trees, sizeof *shap->n_vectors);
    shap->rules = take(room, most + 1, sizeof *shap->rules);
    for (uint32_t n = 1; n <= most; n++) {
        double *numbers = take(room, n, 16 * sizeof *numbers);
        if (room->at) shap->rules[n] = gauss_legendre(n, numbers);
    }
    shap->value = take(room, header->n_features, sizeof *shap->value);
    shap->row = take(room, n_columns, sizeof *shap->row);
    shap->rank = take(room, n_columns, TILE * sizeof *shap->rank);
    shap->phi = take(room, (uint64_t)header->n_features * header->n_outputs, TILE * sizeof *shap->phi);
    shap->base = take(room, header->n_outputs, sizeof *shap->base);
    shap->leaf_sum = take(room, 1, a_row);
    shap->leaf_pull = take(room, 1, a_row);
    shap->ratio = take(room, depth, sizeof *shap->ratio);
    shap->weight = take(room, depth, sizeof *shap->weight);
    shap->inverse = take(room, depth, 2 * vector * most);
    shap->pull_hot = take(room, depth, 2 * vector * most);
    shap->factor = take(room, depth, 2 * a_row);
    shap->pull = take(room, depth, 2 * a_row);
    shap->product = take(room, depth, together * vector);
    shap->sum = take(room, depth, 2 * together * vector * forest->leaf_width);
    shap->state = take(room, depth, TILE);
}

/* Shares of one tree's splits and the vectors that its longest path takes; 0 when it is deeper than its header says.
 * Until the branches of a step are done, `ratio` holds their covers. */
static int weigh_tree(struct cover_shap *shap, uint32_t tree) {
    struct walker *walker = &shap->walker;
    const struct forest *forest = walker->forest;
    uint32_t most = 0;
    start_walk(walker, tree);
    while (walker->n_steps) {
        struct step *step = last_step(walker);
        double *cover = shap->ratio[walker->n_steps - 1];
        if (walker->n_slots > most) most = walker->n_slots;
        if (step->side < 2 && branch_is_leaf(step)) {
            cover[step->side] = cover_at(forest, LEAF_COVER, walker->first_leaf + branch_low(step));
            step->side++;
        } else if (step->side < 2) {
            if (!descend(walker)) return 0;
        } else {
            double all = forest->count[SPLIT_COVER] ? cover_at(forest, SPLIT_COVER, step->split) : cover[0] + cover[1];
            for (int side = 0; side < 2; side++)
                shap->share[2 * step->split + side] = all > 0.0 ? cover[side] / all : 0.5;
            if (walker->n_steps > 1) cover[-2 + (int)step[-1].side] = all;
            leave(walker);
        }
    }
    shap->n_vectors[tree] = vectors_for(most);
    return 1;
}

static int weigh_trees(struct cover_shap *shap) {
    const struct forest *forest = shap->walker.forest;
    memset(shap->walker.latest, 0, forest->header->n_features * sizeof *shap->walker.latest);
    for (uint32_t tree = 0; tree < forest->header->n_trees; tree++)
        if (leaves_of(forest, tree) > 1 && !weigh_tree(shap, tree)) return 0;
    return 1;
}

/* phi (n_features, n_outputs, TILE) -> out (n_rows, n_features, n_outputs), of averages where outputs are such. */
static void write_tile(const struct forest *forest, const double *phi, uint32_t n_rows, double *out) {
    uint64_t n = (uint64_t)forest->header->n_features * forest->header->n_outputs;
    double rounds = has_flag(forest, AVERAGE) ? forest->rounds : 1.0;
    for (uint32_t row = 0; row < n_rows; row++)
        for (uint64_t i = 0; i < n; i++) *out++ = phi[i * TILE + row] / rounds;
}

static void explain_tile(struct cover_shap *shap, const struct rows *rows, int64_t first, uint32_t n_rows,
                         int adds_base) {
    const struct forest *forest = shap->walker.forest;
    const struct header *header = forest->header;
    uint64_t n_phi = (uint64_t)header->n_features * header->n_outputs * TILE;
    uint32_t n_columns = forest->count[COLUMNS], n_whole = n_rows ? (n_rows + 3) & ~3u : 4; /* the base takes four */
    rank_rows(forest, rows, first, n_rows, TILE, shap->value, shap->row, shap->rank);
    for (uint32_t column = 0; column < n_columns; column++) /* rows come in fours */
        for (uint32_t row = n_rows; row < n_whole; row++) shap->rank[(uint64_t)column * TILE + row] = 0;
    memset(shap->phi, 0, n_phi * sizeof *shap->phi);
    for (uint32_t tree = 0; tree < header->n_trees; tree++) {
        if (leaves_of(forest, tree) == 1) {
            if (adds_base) add_only_leaf(forest, tree, shap->base);
        } else if (forest->path >= BAREBOAT_AVX2) {
            explain_tree_avx2(shap, tree, n_whole, adds_base);
        } else {
            explain_tree(shap, tree, n_whole, adds_base);
        }
    }
}

uint64_t bareboat_shap_scratch(const void *forest, uint32_t n_background) {
    struct room room = {0, 0};
    struct cover_shap shap;
    if (n_background) return background_scratch(forest, n_background);
    take_room(forest, &room, &shap);
    return room.used;
}

int32_t bareboat_shap(const void *memory, uint32_t number, const void *at, int64_t n_rows, int64_t row_stride,
                      int64_t column_stride, double *out, double *base, void *scratch) {
    const struct forest *forest = memory;
    uint32_t n_outputs = forest->header->n_outputs;
    struct rows rows = {at, row_stride, column_stride, number};
    struct room room = {scratch, 0};
    struct cover_shap shap;
    int32_t error = bareboat_shap_ready(forest, 0);
    if (error) return error;
    take_room(forest, &room, &shap);
    if (!weigh_trees(&shap)) return BAREBOAT_HEADER | NODES << 8;
    for (uint32_t o = 0; o < n_outputs; o++) shap.base[o] = 0.0;
    /* Of no rows there is still a base. */
    for (int64_t first = 0; first < n_rows || !first; first += TILE) {
        uint32_t n = (uint32_t)(n_rows - first < TILE ? n_rows - first : TILE);
        explain_tile(&shap, &rows, first, n, !first);
        write_tile(forest, shap.phi, n, out + (uint64_t)first * forest->header->n_features * n_outputs);
    }
    finish_base(forest, shap.base, base);
    return BAREBOAT_OK;
}

END_SMALL
