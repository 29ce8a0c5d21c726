/* Leaves of a chunk of trees -> sums, in the order of the trees. */
#include "batch_add.h"

#include "simd.h"

/* A leaf's number: of float64 added in it, of float32 in it or, where the forest says so, in float32. */
#define ADD(NAME, VALUE, LEAF, SUM, COUNT, EACH)                                                                     \
    static void NAME(const VALUE *const *value, LEAF(*leaf)[BLOCK], uint32_t count, uint32_t n, uint64_t stride,     \
                     double *sum) {                                                                                  \
        (void)count;                                                                                                 \
        for (uint32_t i = 0; i < n; i++, sum += stride) {                                                            \
            SUM total = (SUM)*sum;                                                                                   \
            EACH for (uint32_t tree = 0; tree < (COUNT); tree++) total += (SUM)value[tree][leaf[tree][i]];           \
            *sum = (double)total;                                                                                    \
        }                                                                                                            \
    }

/* Rows of `width` numbers. */
#define ADD_VECTORS(NAME, VALUE, LEAF, SUM)                                                                          \
    static void NAME(const VALUE *value, const LEAF *leaf, uint32_t n, uint64_t width, double *sum) {                \
        for (uint32_t i = 0; i < n; i++, sum += width) {                                                             \
            const VALUE *row = value + leaf[i] * width;                                                              \
            for (uint64_t j = 0; j < width; j++) sum[j] = (double)((SUM)sum[j] + (SUM)row[j]);                       \
        }                                                                                                            \
    }

#define ADDERS(NAME, VALUE, SUM)                                                                                     \
    ADD(NAME##_byte_8, VALUE, uint8_t, SUM, 8, UNROLL)                                                               \
    ADD(NAME##_byte_2, VALUE, uint8_t, SUM, 2, UNROLL)                                                               \
    ADD(NAME##_byte_any, VALUE, uint8_t, SUM, count, )                                                               \
    ADD(NAME##_number_8, VALUE, uint32_t, SUM, 8, UNROLL)                                                            \
    ADD(NAME##_number_2, VALUE, uint32_t, SUM, 2, UNROLL)                                                            \
    ADD(NAME##_number_any, VALUE, uint32_t, SUM, count, )                                                            \
    ADD_VECTORS(NAME##_vectors, VALUE, uint32_t, SUM)                                                                \
    static void NAME(const VALUE *const *value, struct leaves *leaves, uint32_t place, uint32_t count, uint32_t n,   \
                     uint64_t width, uint64_t stride, double *sum) {                                                 \
        if (width > 1)                                                                                               \
            NAME##_vectors(*value, leaves->number[place], n, width, sum);                                            \
        else if (leaves->is_number[place])                                                                           \
            (count == 8   ? NAME##_number_8                                                                          \
             : count == 2 ? NAME##_number_2                                                                          \
                          : NAME##_number_any)(value, leaves->number + place, count, n, stride, sum);                \
        else                                                                                                         \
            (count == 8   ? NAME##_byte_8                                                                            \
             : count == 2 ? NAME##_byte_2                                                                            \
                          : NAME##_byte_any)(value, leaves->byte + place, count, n, stride, sum);                    \
    }

ADDERS(add_double, double, double)
ADDERS(add_widened, float, double)
ADDERS(add_single, float, float)

/* Leaves within the tree -> rows of leaf_values. */
static void find_rows(const struct forest *forest, uint32_t tree, struct leaves *leaves, uint32_t place, uint32_t n) {
    uint32_t *number = leaves->number[place], first = words(forest, LEAF_START)[tree];
    if (!leaves->is_number[place])
        for (uint32_t i = 0; i < n; i++) number[i] = leaves->byte[place][i];
    leaves->is_number[place] = 1;
    if (!forest->count[LEAF_ROW]) return;
    if (forest->kind[LEAF_ROW] == 0)
        for (uint32_t i = 0; i < n; i++) number[i] = ((const uint8_t *)forest->at[LEAF_ROW])[first + number[i]];
    else if (forest->kind[LEAF_ROW] == 1)
        for (uint32_t i = 0; i < n; i++) number[i] = ((const uint16_t *)forest->at[LEAF_ROW])[first + number[i]];
    else
        for (uint32_t i = 0; i < n; i++) number[i] = ((const uint32_t *)forest->at[LEAF_ROW])[first + number[i]];
}

/* How many trees from `place` on add to one output and have leaves of one kind, so that they are added at once. */
static uint32_t count_alike(const struct forest *forest, const struct leaves *leaves, const uint32_t *tree,
                            uint32_t place, uint32_t count) {
    uint32_t next = place + 1;
    if (forest->leaf_width > 1) return 1;
    while (next < count && leaves->is_number[next] == leaves->is_number[place] &&
           tree_output(forest, tree[next]) == tree_output(forest, tree[place]))
        next++;
    return next - place;
}

void add_leaves(const struct forest *forest, const uint32_t *tree, uint32_t count, struct leaves *leaves, uint32_t n,
                double *sum) {
    const uint32_t *start = words(forest, LEAF_START);
    uint64_t width = forest->leaf_width, stride = forest->header->n_outputs;
    int is_shared = forest->count[LEAF_ROW] != 0;
    if (is_shared || width > 1)
        for (uint32_t i = 0; i < count; i++) find_rows(forest, tree[i], leaves, i, n);
    for (uint32_t place = 0, alike; place < count; place += alike) {
        const double *wide[CHUNK];
        const float *single[CHUNK];
        uint32_t output = width > 1 ? 0 : tree_output(forest, tree[place]);
        alike = count_alike(forest, leaves, tree, place, count);
        for (uint32_t i = 0; i < alike; i++) {
            uint64_t at = is_shared ? 0 : start[tree[place + i]] * width;
            wide[i] = (const double *)forest->at[LEAF_VALUES] + at;
            single[i] = (const float *)forest->at[LEAF_VALUES] + at;
        }
        if (!forest->kind[LEAF_VALUES])
            add_double(wide, leaves, place, alike, n, width, stride, sum + output);
        else if (has_flag(forest, SINGLE_SUM))
            add_single(single, leaves, place, alike, n, width, stride, sum + output);
        else
            add_widened(single, leaves, place, alike, n, width, stride, sum + output);
    }
}
