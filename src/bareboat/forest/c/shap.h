/* What both kinds of SHAP values share: a walk over every leaf of a tree that knows its way back. Inside the kernel
 * only.
 *
 * A leaf counts each feature of its path once: the splits of a feature on the path are one player, which is in favour
 * of the leaf when all of them send the row towards it. `slot` numbers these players in the order of the path.
 */
#ifndef BAREBOAT_SHAP_H
#define BAREBOAT_SHAP_H

#include "file.h"
#include "rank.h"

/* Rows that are explained together. */
enum { TILE = 128 };

/* Of these, rows that go through a tree at once when its sums take n vectors a row: so many that what is made once a
 * split is cheap beside them, so few that the sums of a path stay in the second cache. */
#define AT_ONCE(n) ((n) <= 2 ? 128u : (n) <= 4 ? 64u : (n) <= 8 ? 32u : 8u)

/* A split on the way to where the walk is. */
struct step {
    uint64_t split;             /* within the forest */
    uint32_t low, middle, high; /* leaves of the tree: those of its left branch, of its right one */
    uint32_t column, cut, feature;
    uint32_t before;            /* 1 + the last step above of the same feature, or 0 */
    uint32_t slot;
    uint32_t side;              /* the branch at hand: 0 left, 1 right, 2 both are done */
};

struct walker {
    const struct forest *forest;
    struct step *steps;   /* (depth) */
    uint32_t *latest;     /* (n_features) 1 + the last step of each feature, or 0; 0 for all before and after a tree */
    uint64_t first_leaf;  /* of the tree */
    uint32_t tree, n_leaves, n_steps, n_slots;
};

/* Points and weights of the Gauss-Legendre rule on [0, 1] of 4 * n_vectors points: near = 1 - far, cold = -1 / near. */
struct rule_of_sum {
    uint32_t n_vectors;
    const double *far, *near, *weight, *cold;
};

/* The memory of a call, handed out piece by piece; with `at` NULL it only counts. */
struct room {
    char *at;
    uint64_t used;
};

void *take(struct room *room, uint64_t count, uint64_t size);

/* How many vectors of four points integrate a path of `n_slots` features. Exactly up to 40: a rule of n points is
 * exact for a polynomial of degree 2n - 1, and ours has the degree n_slots - 1. Beyond, 3.2 sqrt(n_slots) points leave
 * less than 1e-17 of the leaf's value: on an ellipse around [0, 1] of half axes that sum to rho / 2 the integrand stays
 * below cosh(log(rho) / 2) ^ (2 n_slots), and the rule's error below that times rho ^ -2n. */
uint32_t vectors_for(uint32_t n_slots);

/* Fill a rule in room for 16 * n_vectors numbers. */
struct rule_of_sum gauss_legendre(uint32_t n_vectors, double *room);

/* The most features that a path may have, by the header. */
uint32_t most_slots(const struct forest *forest);

/* The room of a walker. */
void take_walker(const struct forest *forest, struct room *room, struct walker *walker);

/* How many leaves a tree has. */
uint32_t leaves_of(const struct forest *forest, uint32_t tree);

/* Add a tree of one leaf, which says the same of every row, to base. */
void add_only_leaf(const struct forest *forest, uint32_t tree, double *base);

/* The forest's own base and that of its trees, averaged where outputs are: (n_outputs) into `base`. */
void finish_base(const struct forest *forest, const double *trees, double *base);

/* Bytes of scratch that a call with so many background rows takes. */
uint64_t background_scratch(const struct forest *forest, uint32_t n_background);

/* Start a walk over a tree with at least one split; the first step is entered. */
void start_walk(struct walker *walker, uint32_t tree);

/* Enter the split of the branch at hand. Return 0 when the tree is deeper than its header says. */
int descend(struct walker *walker);

/* Leave the last step: its branch of the step above, if there is one, is done. */
void leave(struct walker *walker);

/* Rank rows [first, first + n) into rank (n_columns, n_room). `value` and `row` have room for one row's values and
 * ranks. */
void rank_rows(const struct forest *forest, const struct rows *rows, int64_t first, uint32_t n, uint32_t n_room,
               double *value, uint32_t *row, uint32_t *rank);

/* Whether each of n rows goes right at a step; rank is that of the step's column. */
void find_sides(const struct walker *walker, const struct step *step, const uint32_t *rank, uint32_t n,
                uint8_t *right);

static inline struct step *last_step(const struct walker *walker) { return walker->steps + walker->n_steps - 1; }

static inline uint32_t branch_low(const struct step *step) { return step->side ? step->middle : step->low; }
static inline uint32_t branch_high(const struct step *step) { return step->side ? step->high : step->middle; }
static inline int branch_is_leaf(const struct step *step) { return branch_high(step) - branch_low(step) == 1; }

/* Number of a leaf of the tree at hand for output `o` of those that its leaves have. */
static inline double leaf_value(const struct walker *walker, uint32_t leaf, uint32_t o) {
    const struct forest *forest = walker->forest;
    return number_at(forest, LEAF_VALUES, leaf_row(forest, walker->first_leaf + leaf) * forest->leaf_width + o);
}

/* One call that explains rows by the covers of the leaves, and the room that it works in. */
struct cover_shap {
    struct walker walker;
    double *share;              /* (n_splits, 2) part of the cover that goes left and right */
    uint32_t *n_vectors;        /* (n_trees) */
    struct rule_of_sum *rules;  /* (most vectors + 1) */
    double *value;              /* (n_features) */
    uint32_t *row;              /* (n_columns) */
    uint32_t *rank;             /* (n_columns, TILE) */
    double *phi;                /* (n_features, n_outputs, TILE) */
    double *base;               /* (n_outputs) */
    double *leaf_sum, *leaf_pull; /* (3, vectors) */
    /* for each step of the path, the two branches where there is a [2] */
    double (*ratio)[2];         /* merged with that of the same feature above */
    double *weight;             /* part of the cover that reaches the step */
    double *inverse, *pull_hot; /* [2] (vectors) */
    double *factor, *pull;      /* [2] (3, vectors) by the state of a row */
    double *product;            /* (rows, vectors) */
    double *sum;                /* [2] (leaf_width, rows, vectors) */
    uint8_t *state;             /* (TILE) */
    uint32_t most_vectors;
};

/* Add one tree's part to phi, and with `adds_base` to base. */
void explain_tree(struct cover_shap *shap, uint32_t tree, uint32_t n_rows, int adds_base);
void explain_tree_avx2(struct cover_shap *shap, uint32_t tree, uint32_t n_rows, int adds_base);

#endif
