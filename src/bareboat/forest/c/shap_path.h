/* One tree's part of path-dependent SHAP values, for the instructions of the file that includes this.
 *
 * With a feature d of a leaf's path come o (1 when the row satisfies all its splits, else 0) and r (the part of the
 * cover that does). A coalition S is worth, by this leaf of value w, w * prod(o in S) * prod(r outside S); its
 * multilinear extension at t is w * prod(t o + (1 - t) r), and the SHAP value of d is the integral over t from 0 to 1
 * of its derivative, w (o - r) prod over the other features. It is a polynomial, so that a Gauss-Legendre rule of
 * enough points t integrates it exactly, and as all factors are positive nothing cancels. The lanes of a vector are
 * points t. Going down, a branch multiplies the product of its split by one factor; going up, the products of a
 * branch's leaves are summed, and each split adds (o - r) / (t o + (1 - t) r) of these sums to its feature, less what
 * a split above it of the same feature adds for the same leaves. The work is thus linear in the leaves.
 *
 * Sources: Lundberg et al., From local explanations to global understanding with explainable AI for trees (2020);
 * Yu et al., Linear TreeShap (2022); Wettenstein, Mitchell and Yu, Quadrature-TreeSHAP (2026).
 *
 * A row's state at a split: 0, a split above of the same feature has sent it elsewhere; 1, it goes left; 2, right. In
 * state 1 + side the branch of that side is hot for the row, in the others cold.
 */
#include <string.h>

#include "shap.h"

typedef double vector __attribute__((vector_size(32)));
typedef int64_t lanes __attribute__((vector_size(32)));

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(A, B, I, J, K, L) __builtin_shufflevector(A, B, I, J, K, L)
#else
#define SHUFFLE(A, B, I, J, K, L) __builtin_shuffle(A, B, (lanes){I, J, K, L})
#endif
#define ALWAYS static inline __attribute__((always_inline))

enum { N_STATES = 3 };

/* Where step `i` has its vectors, `each` of them a step. */
#define AT(FIELD, EACH) ((vector *)(shap->FIELD) + (uint64_t)(i) * (EACH))

/* Factors and pulls of both branches of step i, from those of the step above of the same feature. */
ALWAYS void weigh_branches(struct cover_shap *shap, uint32_t i, const uint32_t n) {
    const struct step *step = shap->walker.steps + i;
    const struct rule_of_sum *rule = shap->rules + n;
    const vector *far = (const vector *)rule->far, *near = (const vector *)rule->near;
    const vector *cold = (const vector *)rule->cold;
    const struct step *before = step->before ? shap->walker.steps + step->before - 1 : 0;
    uint64_t above = before ? (2ull * (step->before - 1) + before->side) * n : 0;
    double ratio = before ? shap->ratio[step->before - 1][before->side] : 1.0;
    vector *inverse = AT(inverse, 2 * n), *pull_hot = AT(pull_hot, 2 * n);
    for (uint32_t side = 0; side < 2; side++) {
        double share = shap->share[2 * step->split + side], merged = ratio * share;
        vector *factor = AT(factor, 2 * N_STATES * n) + side * N_STATES * n;
        vector *pull = AT(pull, 2 * N_STATES * n) + side * N_STATES * n;
        shap->ratio[i][side] = merged;
        for (uint32_t v = 0; v < n; v++) {
            vector one = {1.0, 1.0, 1.0, 1.0}, none = {0.0, 0.0, 0.0, 0.0};
            vector divide = before ? ((const vector *)shap->inverse)[above + v] : one;
            vector other = before ? ((const vector *)shap->pull_hot)[above + v] : none;
            vector hot = far[v] + near[v] * merged, part = one / hot;
            vector own = (1.0 - merged) * part;
            inverse[side * n + v] = part;
            pull_hot[side * n + v] = own;
            factor[v] = one * share;
            factor[(1 + side) * n + v] = hot * divide;
            factor[(2 - side) * n + v] = near[v] * merged * divide;
            pull[v] = none;
            pull[(1 + side) * n + v] = own - other;
            pull[(2 - side) * n + v] = cold[v] - other;
        }
    }
}

/* The state of each row at step i. */
ALWAYS void find_states(struct cover_shap *shap, uint32_t i, uint32_t first, uint32_t n_rows) {
    const struct step *step = shap->walker.steps + i;
    const struct step *before = step->before ? shap->walker.steps + step->before - 1 : 0;
    uint8_t *state = shap->state + (uint64_t)i * TILE;
    find_sides(&shap->walker, step, shap->rank + (uint64_t)step->column * TILE + first, n_rows, state);
    for (uint32_t row = 0; row < n_rows; row++) state[row] = (uint8_t)(state[row] + 1);
    if (before) {
        const uint8_t *above = shap->state + (step->before - 1ull) * TILE, hot = (uint8_t)(1 + before->side);
        for (uint32_t row = 0; row < n_rows; row++) state[row] = above[row] == hot ? state[row] : 0;
    }
}

/* The products of a branch that is a split, step i + 1. */
ALWAYS void multiply(struct cover_shap *shap, uint32_t i, uint32_t n_rows, const uint32_t n) {
    const struct step *step = shap->walker.steps + i;
    const vector *product = AT(product, AT_ONCE(n) * n);
    const vector *factor = AT(factor, 2 * N_STATES * n) + step->side * N_STATES * n;
    const uint8_t *state = shap->state + (uint64_t)i * TILE;
    vector *next = AT(product, AT_ONCE(n) * n) + AT_ONCE(n) * n;
    for (uint32_t row = 0; row < n_rows; row++)
        for (uint32_t v = 0; v < n; v++) next[row * n + v] = product[row * n + v] * factor[state[row] * n + v];
    shap->weight[i + 1] = shap->weight[i] * shap->share[2 * step->split + step->side];
}

static inline int is_leaf(const struct step *step, uint32_t side) {
    return side ? step->high - step->middle == 1 : step->middle - step->low == 1;
}

/* What a product is to be multiplied by, in each state, for the sum over those branches of step i that are leaves, and
 * for what these add to the feature. */
ALWAYS void weigh_leaves(struct cover_shap *shap, uint32_t i, uint32_t o, const uint32_t n, int adds_base) {
    const struct walker *walker = &shap->walker;
    const struct step *step = walker->steps + i;
    const vector *weight = (const vector *)shap->rules[n].weight;
    vector *leaf_sum = (vector *)shap->leaf_sum, *leaf_pull = (vector *)shap->leaf_pull;
    int n_leaves = 0;
    for (uint32_t side = 0; side < 2; side++) {
        const vector *factor = AT(factor, 2 * N_STATES * n) + side * N_STATES * n;
        const vector *pull = AT(pull, 2 * N_STATES * n) + side * N_STATES * n;
        double value;
        if (!is_leaf(step, side)) continue;
        value = leaf_value(walker, side ? step->middle : step->low, o);
        if (adds_base) {
            uint32_t output = walker->forest->leaf_width > 1 ? o : tree_output(walker->forest, walker->tree);
            shap->base[output] += shap->weight[i] * shap->share[2 * step->split + side] * value;
        }
        for (uint32_t k = 0; k < N_STATES * n; k++) {
            vector own = factor[k] * (weight[k % n] * value);
            leaf_sum[k] = n_leaves ? leaf_sum[k] + own : own;
            leaf_pull[k] = n_leaves ? leaf_pull[k] + pull[k] * own : pull[k] * own;
        }
        n_leaves++;
    }
}

/* What step i adds to its feature, (rows) at phi, and its sums for the step above, unless that is NULL. Of its branches
 * `n_splits` are splits, with sums and pulls. */
ALWAYS void pull_rows(const struct cover_shap *shap, uint32_t i, uint32_t n_rows, const uint32_t n, const int n_splits,
                      const vector *const *sum, const vector *const *pull, double *phi, vector *above) {
    const vector *product = AT(product, AT_ONCE(n) * n);
    const vector *leaf_sum = (const vector *)shap->leaf_sum, *leaf_pull = (const vector *)shap->leaf_pull;
    const uint8_t *state = shap->state + (uint64_t)i * TILE;
    for (uint32_t row = 0; row < n_rows; row += 4) {
        vector part[4], pair[2];
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t table = state[row + k] * n;
            part[k] = (vector){0.0, 0.0, 0.0, 0.0};
            for (uint32_t v = 0; v < n; v++) {
                uint32_t at = (row + k) * n + v;
                vector total = {0.0, 0.0, 0.0, 0.0};
                if (n_splits < 2) {
                    part[k] += product[at] * leaf_pull[table + v];
                    total = product[at] * leaf_sum[table + v];
                }
                for (int split = 0; split < n_splits; split++) {
                    part[k] += sum[split][at] * pull[split][table + v];
                    total += sum[split][at];
                }
                if (above) above[at] = total;
            }
        }
        pair[0] = SHUFFLE(part[0], part[1], 0, 4, 2, 6) + SHUFFLE(part[0], part[1], 1, 5, 3, 7);
        pair[1] = SHUFFLE(part[2], part[3], 0, 4, 2, 6) + SHUFFLE(part[2], part[3], 1, 5, 3, 7);
        *(vector *)(phi + row) += SHUFFLE(pair[0], pair[1], 0, 1, 4, 5) + SHUFFLE(pair[0], pair[1], 2, 3, 6, 7);
    }
}

ALWAYS void pull_up(struct cover_shap *shap, uint32_t i, uint32_t first, uint32_t n_rows, const uint32_t n,
                    int adds_base) {
    const struct walker *walker = &shap->walker;
    const struct step *step = walker->steps + i;
    uint32_t width = walker->forest->leaf_width, n_outputs = walker->forest->header->n_outputs;
    uint32_t output = width > 1 ? 0 : tree_output(walker->forest, walker->tree);
    uint64_t one = AT_ONCE(n) * n, branch = width * one, side = i ? walker->steps[i - 1].side : 0;
    for (uint32_t o = 0; o < width; o++) {
        vector *above = i ? AT(sum, 2 * branch) - 2 * branch + side * branch + o * one : 0;
        double *phi = shap->phi + ((uint64_t)step->feature * n_outputs + output + o) * TILE + first;
        const vector *sum[2], *pull[2];
        int n_splits = 0;
        for (uint32_t k = 0; k < 2; k++) {
            if (is_leaf(step, k)) continue;
            sum[n_splits] = AT(sum, 2 * branch) + k * branch + o * one;
            pull[n_splits++] = AT(pull, 2 * N_STATES * n) + k * N_STATES * n;
        }
        if (n_splits < 2) weigh_leaves(shap, i, o, n, adds_base);
        if (n_splits == 0)
            pull_rows(shap, i, n_rows, n, 0, sum, pull, phi, above);
        else if (n_splits == 1)
            pull_rows(shap, i, n_rows, n, 1, sum, pull, phi, above);
        else
            pull_rows(shap, i, n_rows, n, 2, sum, pull, phi, above);
    }
}

ALWAYS void explain_rows(struct cover_shap *shap, uint32_t tree, uint32_t first, uint32_t n_rows, const uint32_t n,
                         int adds_base) {
    struct walker *walker = &shap->walker;
    vector *product = (vector *)shap->product;
    for (uint32_t at = 0; at < n_rows * n; at++) product[at] = (vector){1.0, 1.0, 1.0, 1.0};
    shap->weight[0] = 1.0;
    start_walk(walker, tree);
    for (int is_new = 1; walker->n_steps;) {
        uint32_t i = walker->n_steps - 1;
        if (is_new) {
            weigh_branches(shap, i, n);
            find_states(shap, i, first, n_rows);
        }
        is_new = 0;
        if (walker->steps[i].side == 2) {
            pull_up(shap, i, first, n_rows, n, adds_base);
            leave(walker);
        } else if (branch_is_leaf(walker->steps + i)) {
            walker->steps[i].side++;
        } else {
            multiply(shap, i, n_rows, n);
            is_new = descend(walker);
        }
    }
}

void EXPLAIN_TREE(struct cover_shap *shap, uint32_t tree, uint32_t n_rows, int adds_base) {
    uint32_t n = shap->n_vectors[tree], most = AT_ONCE(n);
    for (uint32_t first = 0; first < n_rows; first += most) {
        uint32_t rows = n_rows - first < most ? n_rows - first : most;
        if (n == 1 && !IS_SMALL)
            explain_rows(shap, tree, first, rows, 1, adds_base && !first);
        else
            explain_rows(shap, tree, first, rows, n, adds_base && !first);
    }
}
