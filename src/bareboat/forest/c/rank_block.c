/* A block of rows -> ranks, column after column. */
#include "rank_block.h"

#include <math.h>
#include <string.h>

#include "kernel.h"
#include "simd.h"

/* Rows that are read at once, so that they stay in the nearest cache while every column is read. */
enum { PART = 64 };

/* Gather one feature of n rows; tell whether a value is NaN. */
#define GATHER(NAME, FROM, TO)                                                                                       \
    static int NAME(const char *at, int64_t stride, uint32_t n, TO *value) {                                         \
        int has_nan = 0;                                                                                             \
        for (uint32_t i = 0; i < n; i++) {                                                                           \
            FROM number;                                                                                             \
            memcpy(&number, at + (int64_t)i * stride, sizeof number);                                                \
            value[i] = (TO)number;                                                                                   \
        }                                                                                                            \
        for (uint32_t i = 0; i < n; i++) has_nan |= value[i] != value[i];                                            \
        return has_nan;                                                                                              \
    }

GATHER(gather_double, double, double)
GATHER(gather_widened, float, double)
GATHER(gather_rounded, double, float)
GATHER(gather_single, float, float)

/* Four searches side by side: each waits for memory, not for the others. */
#define SEARCH(NAME, VALUE)                                                                                          \
    static inline void NAME##_4(const VALUE *key, uint32_t n_keys, const VALUE *value, uint32_t *rank) {             \
        const VALUE *at[4] = {key, key, key, key};                                                                   \
        uint32_t n = n_keys;                                                                                         \
        for (; n > 1; n -= n / 2)                                                                                    \
            UNROLL for (int i = 0; i < 4; i++) at[i] = at[i][n / 2 - 1] < value[i] ? at[i] + n / 2 : at[i];          \
        UNROLL for (int i = 0; i < 4; i++) rank[i] = (uint32_t)(at[i] - key) + (n && *at[i] < value[i]);             \
    }                                                                                                                \
    void NAME(const struct batch *batch, const struct search *search, const void *values, uint32_t n, void *ranks) { \
        const VALUE *key = (const VALUE *)batch->keys + search->first, *value = values;                              \
        key += search->level[search->n_levels - 1];                                                                  \
        for (uint32_t i = 0; i < n; i += 4) {                                                                        \
            uint32_t found[4];                                                                                       \
            VALUE four[4] = {value[i], value[i + 1 < n ? i + 1 : i], value[i + 2 < n ? i + 2 : i],                   \
                             value[i + 3 < n ? i + 3 : i]};                                                          \
            NAME##_4(key, search->n_keys, four, found);                                                              \
            for (uint32_t j = i; j < n && j < i + 4; j++) {                                                          \
                if (batch->rank_size == 1)                                                                           \
                    ((uint8_t *)ranks)[j] = (uint8_t)(found[j - i] ^ 0x7f);                                          \
                else if (batch->rank_size == 2)                                                                      \
                    ((uint16_t *)ranks)[j] = (uint16_t)(found[j - i] ^ 0x7fff);                                      \
                else                                                                                                 \
                    ((uint32_t *)ranks)[j] = found[j - i] ^ 0x7fffffff;                                              \
            }                                                                                                        \
        }                                                                                                            \
    }

SEARCH(search_double, double)
SEARCH(search_single, float)

static searcher searcher_for(const struct forest *forest) {
    int single = has_flag(forest, SINGLE_INPUT);
#if defined(__x86_64__)
    if (forest->path == BAREBOAT_AVX2 || forest->path == BAREBOAT_AVX512)
        return single ? search_single_avx2 : search_double_avx2;
#endif
    return single ? search_single : search_double;
}

static void set_rank(void *ranks, uint32_t size, uint64_t i, uint32_t rank) {
    if (size == 1)
        ((uint8_t *)ranks)[i] = (uint8_t)(rank ^ 0x7f);
    else if (size == 2)
        ((uint16_t *)ranks)[i] = (uint16_t)(rank ^ 0x7fff);
    else
        ((uint32_t *)ranks)[i] = rank ^ 0x7fffffff;
}

static double value_at(const void *values, int single, uint32_t i) {
    return single ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

/* Give values that are missing by the column's rule their rank. */
static void patch(const struct column_plan *column, const void *values, int single, uint32_t n, void *ranks,
                  uint32_t size) {
    for (uint32_t i = 0; i < n; i++) {
        double value = value_at(values, single, i);
        if (value != value)
            set_rank(ranks, size, i, column->nan_rank);
        else if (column->has_tiny && is_tiny(value))
            set_rank(ranks, size, i, column->tiny_rank);
    }
}

/* The same for a column whose rule concerns NaN alone, without a branch that no CPU can foresee. */
static void patch_nan(const struct column_plan *column, const void *values, int single, uint32_t n, uint8_t *ranks) {
    uint8_t rank = (uint8_t)(column->nan_rank ^ 0x7f);
    if (single) {
        const float *value = values;
        for (uint32_t i = 0; i < n; i++) ranks[i] = value[i] != value[i] ? rank : ranks[i];
    } else {
        const double *value = values;
        for (uint32_t i = 0; i < n; i++) ranks[i] = value[i] != value[i] ? rank : ranks[i];
    }
}

static int gather(const struct rows *rows, const char *at, int single, uint32_t n, void *value) {
    if (rows->number == BAREBOAT_FLOAT32)
        return single ? gather_single(at, rows->row_stride, n, value) : gather_widened(at, rows->row_stride, n, value);
    return single ? gather_rounded(at, rows->row_stride, n, value) : gather_double(at, rows->row_stride, n, value);
}

static void rank_numbers(const struct forest *forest, const struct batch *batch, const struct rows *rows,
                         const char *at, uint32_t n, char *ranks) {
    double value[PART];
    int single = has_flag(forest, SINGLE_INPUT);
    uint32_t size = batch->rank_size;
    searcher find = searcher_for(forest);
    for (uint32_t i = 0; i < batch->n_searches; i++) {
        const struct search *search = batch->search + i;
        char *rank = ranks + (uint64_t)search->column * BLOCK * size;
        int has_nan = gather(rows, at + (int64_t)search->feature * rows->column_stride, single, n, value);
        find(batch, search, value, n, rank);
        for (uint32_t j = 1; j < search->n_columns; j++) memcpy(rank + (uint64_t)j * BLOCK * size, rank, n * size);
        for (uint32_t j = 0; j < search->n_columns; j++, rank += BLOCK * size) {
            const struct column_plan *column = batch->column + search->column + j;
            if (column->has_tiny || (has_nan && column->nan_rank && size > 1))
                patch(column, value, single, n, rank, size);
            else if (has_nan && column->nan_rank)
                patch_nan(column, value, single, n, (uint8_t *)rank);
        }
    }
}

/* What scans look up of n codes; see struct block. */
static void place_codes(const struct forest *forest, const struct code_plan *plan, const uint32_t *code, uint32_t n,
                        uint8_t *place) {
    if (!plan->n_places) return;
    for (uint32_t j = 0; j < n; j++) place[j] = (uint8_t)(1u << (code[j] & 7));
    place += BLOCK;
    if (forest->path == BAREBOAT_AVX512) {
        for (uint32_t j = 0; j < n; j++) place[j] = (uint8_t)(code[j] / 8);
        return;
    }
    for (uint32_t part = 0; part < plan->n_places; part++, place += BLOCK)
        for (uint32_t j = 0; j < n; j++)
            place[j] = code[j] / PART_CODES == part ? (uint8_t)(code[j] % PART_CODES / 8) : 128;
}

static void rank_codes(const struct forest *forest, const struct batch *batch, const struct rows *rows, const char *at,
                       uint32_t n, uint32_t first, const struct block *block) {
    const uint32_t *columns = words(forest, COLUMNS) + forest->n_numeric, *start = words(forest, CATEGORY_START);
    int single = has_flag(forest, SINGLE_INPUT);
    double values[PART];
    for (uint32_t i = 0; i < batch->n_categorical; i++) {
        const struct code_plan *plan = batch->code + i;
        uint32_t n_codes = start[i + 1] - start[i], *code = block->code + (uint64_t)i * BLOCK + first;
        double least = rule_of(columns[i]) == CATEGORY ? -1.0 : 0.0;
        int open_least = rule_of(columns[i]) == CATEGORY, whole = rule_of(columns[i]) == CATEGORY_WHOLE;
        gather(rows, at + (int64_t)feature_of(columns[i]) * rows->column_stride, single, n, values);
        for (uint32_t j = 0; j < n; j++) {
            double value = value_at(values, single, j);
            if (has_flag(forest, TINY_IS_ZERO) && is_tiny(value)) value = 0.0;
            if (plan->n_direct && (open_least ? value > least : value >= least) && value < plan->n_direct) {
                uint32_t place = (uint32_t)(int32_t)value;
                code[j] = whole && (double)place != value ? n_codes : batch->direct[plan->direct + place];
            } else if (plan->n_direct) {
                code[j] = n_codes + (value != value);
            } else {
                code[j] = code_of(words(forest, CATEGORY_CODES) + start[i], n_codes, rule_of(columns[i]), value);
            }
        }
        if (batch->max_sets) place_codes(forest, plan, code, n, block->place + plan->place * BLOCK + first);
    }
}

void rank_block(const struct forest *forest, const struct rows *rows, int64_t first, uint32_t n,
                const struct block *block) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    for (uint32_t i = 0; i < n; i += PART) {
        const char *at = rows->at + (first + i) * rows->row_stride;
        uint32_t count = n - i < PART ? n - i : PART;
        rank_numbers(forest, batch, rows, at, count, (char *)block->rank + (uint64_t)i * batch->rank_size);
        if (batch->n_categorical) rank_codes(forest, batch, rows, at, count, i, block);
    }
}
