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
 * A row's state at a branch: 0, a split above of the same feature has sent it elsewhere; 1, this one does; 2, none.
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
    vector *factor = AT(factor, 2 * N_STATES * n), *pull = AT(pull, 2 * N_STATES * n);
    vector *inverse = AT(inverse, 2 * n), *pull_hot = AT(pull_hot, 2 * n);
    for (uint32_t side = 0; side < 2; side++) {
        double share = shap->share[2 * step->split + side], merged = ratio * share;
        shap->ratio[i][side] = merged;
        for (uint32_t v = 0; v < n; v++) {
            vector one = {1.0, 1.0, 1.0, 1.0}, none = {0.0, 0.0, 0.0, 0.0};
            vector divide = before ? ((const vector *)shap->inverse)[above + v] : one;
            vector other = before ? ((const vector *)shap->pull_hot)[above + v] : none;
            vector hot = far[v] + near[v] * merged, part = one / hot;
            vector own = (1.0 - merged) * part;
            inverse[side * n + v] = part;
            pull_hot[side * n + v] = own;
            factor[(side * N_STATES + 0) * n + v] = one * share;
            factor[(side * N_STATES + 1) * n + v] = near[v] * merged * divide;
            factor[(side * N_STATES + 2) * n + v] = hot * divide;
            pull[(side * N_STATES + 0) * n + v] = none;
            pull[(side * N_STATES + 1) * n + v] = cold[v] - other;
            pull[(side * N_STATES + 2) * n + v] = own - other;
        }
    }
}

/* The state of each row at both branches of step i. */
ALWAYS void find_states(struct cover_shap *shap, uint32_t i, uint32_t first, uint32_t n_rows) {
    const struct step *step = shap->walker.steps + i;
    const struct step *before = step->before ? shap->walker.steps + step->before - 1 : 0;
    const uint8_t *above = before ? shap->hot + (2ull * (step->before - 1) + before->side) * TILE : shap->ones;
    uint8_t *state = shap->state + 2ull * i * TILE, *hot = shap->hot + 2ull * i * TILE, *right = shap->right;
    find_sides(&shap->walker, step, shap->rank + (uint64_t)step->column * TILE + first, n_rows, right);
    for (uint32_t row = 0; row < n_rows; row++) {
        hot[row] = above[row] & (right[row] ^ 1);
        hot[TILE + row] = above[row] & right[row];
        state[row] = above[row] + hot[row];
        state[TILE + row] = above[row] + hot[TILE + row];
    }
}

/* The sums of a branch that is a leaf. */
ALWAYS void sum_leaf(struct cover_shap *shap, uint32_t i, uint32_t n_rows, const uint32_t n, int adds_base) {
    const struct walker *walker = &shap->walker;
    const struct step *step = walker->steps + i;
    uint32_t width = walker->forest->leaf_width, side = step->side;
    uint32_t output = width > 1 ? 0 : tree_output(walker->forest, walker->tree);
    const vector *product = AT(product, AT_ONCE(n) * n), *factor = AT(factor, 2 * N_STATES * n) + side * N_STATES * n;
    const vector *weight = (const vector *)shap->rules[n].weight;
    const uint8_t *state = shap->state + (2ull * i + side) * TILE;
    for (uint32_t o = 0; o < width; o++) {
        vector *sum = AT(sum, 2ull * width * AT_ONCE(n) * n) + ((uint64_t)side * width + o) * AT_ONCE(n) * n;
        double value = leaf_value(walker, branch_low(step), o);
        if (adds_base) shap->base[output + o] += shap->weight[i] * shap->share[2 * step->split + side] * value;
        for (uint32_t v = 0; v < n; v++) {
            vector own[N_STATES], scale = weight[v] * value;
            for (int k = 0; k < N_STATES; k++) own[k] = factor[k * n + v] * scale;
            for (uint32_t row = 0; row < n_rows; row++) sum[row * n + v] = product[row * n + v] * own[state[row]];
        }
    }
}

/* The products of a branch that is a split, step i + 1. */
ALWAYS void multiply(struct cover_shap *shap, uint32_t i, uint32_t n_rows, const uint32_t n) {
    const struct step *step = shap->walker.steps + i;
    const vector *product = AT(product, AT_ONCE(n) * n);
    const vector *factor = AT(factor, 2 * N_STATES * n) + step->side * N_STATES * n;
    const uint8_t *state = shap->state + (2ull * i + step->side) * TILE;
    vector *next = AT(product, AT_ONCE(n) * n) + AT_ONCE(n) * n;
    for (uint32_t row = 0; row < n_rows; row++)
        for (uint32_t v = 0; v < n; v++) next[row * n + v] = product[row * n + v] * factor[state[row] * n + v];
    shap->weight[i + 1] = shap->weight[i] * shap->share[2 * step->split + step->side];
}

/* What step i adds to its feature, and its sums for the step above. */
ALWAYS void pull_up(struct cover_shap *shap, uint32_t i, uint32_t first, uint32_t n_rows, const uint32_t n) {
    const struct walker *walker = &shap->walker;
    const struct step *step = walker->steps + i;
    uint32_t width = walker->forest->leaf_width, n_outputs = walker->forest->header->n_outputs;
    uint32_t output = width > 1 ? 0 : tree_output(walker->forest, walker->tree);
    uint64_t one = AT_ONCE(n) * n, branch = width * one, side = i ? walker->steps[i - 1].side : 0;
    const vector *pull = AT(pull, 2 * N_STATES * n), *pull_right = pull + N_STATES * n;
    const uint8_t *state = shap->state + 2ull * i * TILE;
    for (uint32_t o = 0; o < width; o++) {
        const vector *left = AT(sum, 2 * branch) + o * one, *right = left + branch;
        vector *above = i ? AT(sum, 2 * branch) + side * branch + o * one - 2 * branch : 0;
        double *phi = shap->phi + ((uint64_t)step->feature * n_outputs + output + o) * TILE + first;
        for (uint32_t row = 0; row < n_rows; row += 4) {
            vector part[4], pair[2], total;
            for (uint32_t k = 0; k < 4; k++) {
                const vector *own_left = pull + state[row + k] * n, *own_right = pull_right + state[TILE + row + k] * n;
                part[k] = own_left[0] * left[(row + k) * n] + own_right[0] * right[(row + k) * n];
                for (uint32_t v = 1; v < n; v++)
                    part[k] += own_left[v] * left[(row + k) * n + v] + own_right[v] * right[(row + k) * n + v];
            }
            pair[0] = SHUFFLE(part[0], part[1], 0, 4, 2, 6) + SHUFFLE(part[0], part[1], 1, 5, 3, 7);
            pair[1] = SHUFFLE(part[2], part[3], 0, 4, 2, 6) + SHUFFLE(part[2], part[3], 1, 5, 3, 7);
            total = SHUFFLE(pair[0], pair[1], 0, 1, 4, 5) + SHUFFLE(pair[0], pair[1], 2, 3, 6, 7);
            *(vector *)(phi + row) += total;
            if (i)
                for (uint32_t at = row * n; at < (row + 4) * n; at++) above[at] = left[at] + right[at];
        }
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
            pull_up(shap, i, first, n_rows, n);
            leave(walker);
        } else if (branch_is_leaf(walker->steps + i)) {
            sum_leaf(shap, i, n_rows, n, adds_base);
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
        if (n == 1)
            explain_rows(shap, tree, first, rows, 1, adds_base && !first);
        else if (n == 2)
            explain_rows(shap, tree, first, rows, 2, adds_base && !first);
        else
            explain_rows(shap, tree, first, rows, n, adds_base && !first);
    }
}
