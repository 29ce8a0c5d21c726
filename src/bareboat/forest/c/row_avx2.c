/* One row with AVX2: 32 lanes, two vectors of them at a time. */
#if defined(__x86_64__)
#define USE_AVX2
#include "simd.h"

#include "row_path.h"

/* How many of 16 sorted numbers are below x. */
INLINE uint32_t count_below(const double *number, __m256d x) {
    __m256i a = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_load_pd(number), x, _CMP_LT_OQ));
    __m256i b = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_load_pd(number + 4), x, _CMP_LT_OQ));
    __m256i c = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_load_pd(number + 8), x, _CMP_LT_OQ));
    __m256i d = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_load_pd(number + 12), x, _CMP_LT_OQ));
    __m256i all = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)); /* 2 bytes a number */
    return (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_epi8(all)) / 2;
}

/* Most columns have up to 255 thresholds, and so two levels. */
INLINE uint32_t rank_of(const double *thresholds, const struct rank_column *column, double value) {
    __m256d x = _mm256_set1_pd(value);
    uint32_t n = count_below(thresholds + column->level[0], x);
    if (column->levels == 2) return FANOUT * n + count_below(thresholds + column->level[1] + FANOUT * n, x);
    for (uint32_t level = 1; level < column->levels; level++)
        n = FANOUT * n + count_below(thresholds + column->level[level] + FANOUT * n, x);
    return n;
}

static void rank_avx2(const struct forest *forest, const struct row_table *table, const double *row, uint32_t *rank) {
    const struct rank_column *columns = table->columns;
    const double *thresholds = table->thresholds;
    uint32_t n_numeric = forest->n_numeric;
    int is_single = has_flag(forest, SINGLE_INPUT), is_zero = has_flag(forest, TINY_IS_ZERO);
    for (uint32_t i = 0; i < n_numeric; i++) {
        double value = column_value(columns + i, row, is_single, is_zero);
        uint32_t n = rank_of(thresholds, columns + i, value);
        rank[i] = value != value ? columns[i].missing : n;
    }
}

static void join_avx2(const struct row_bits *bits, uint32_t n_words, uint64_t *into) {
    for (uint32_t word = 0; word < n_words; word += 4) {
        __m256i all = _mm256_setzero_si256();
        for (uint32_t i = 0; i < bits->n; i++)
            all = _mm256_or_si256(all, _mm256_load_si256((const __m256i *)(const void *)(bits->of[i] + 8ull * word)));
        _mm256_store_si256((__m256i *)(void *)(into + word), all);
    }
}

/* Ranks for looking up 16 at a time: each table but the first of 8 holds what differs from the one before it. Then the
 * number of a column goes through 8 tables, 16 less each time, and what is past its own table is added as zero, as is
 * all where its top bit is set: that means the 8 tables after these. */
enum { HALF = 8 };
struct tables {
    __m256i low[2 * HALF], high[2 * HALF];
};

static void load_tables(const uint8_t *rank, uint32_t n, __m256i *tables) {
    __m256i before = _mm256_setzero_si256();
    for (uint32_t i = 0; i < n; i++) {
        __m256i here = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)(rank + FANOUT * i)));
        tables[i] = i == HALF ? here : _mm256_xor_si256(here, before);
        before = here;
    }
}

/* Through up to 4 tables, whose number the compiler knows. */
INLINE __m256i look_up_few(const __m256i *tables, uint32_t n, __m256i column) {
    __m256i rank = _mm256_shuffle_epi8(tables[0], column);
    UNROLL for (uint32_t i = 1; i < n; i++) {
        column = _mm256_sub_epi8(column, _mm256_set1_epi8(FANOUT));
        rank = _mm256_xor_si256(rank, _mm256_shuffle_epi8(tables[i], column));
    }
    return rank;
}

static __m256i look_up_many(const __m256i *tables, uint32_t n, __m256i column) {
    __m256i at = column, rank = _mm256_setzero_si256();
    for (uint32_t i = 0; i < n; i++) {
        if (i == HALF) at = _mm256_xor_si256(column, _mm256_set1_epi8(-128));
        rank = _mm256_xor_si256(rank, _mm256_shuffle_epi8(tables[i], at));
        at = _mm256_subs_epi8(at, _mm256_set1_epi8(FANOUT));
    }
    return rank;
}

enum { FEW = 4 };

INLINE __m256i look_up(const __m256i *tables, uint32_t n, __m256i column) {
    return __builtin_constant_p(n) && n <= FEW ? look_up_few(tables, n, column) : look_up_many(tables, n, column);
}

/* The same for 16 columns. */
INLINE __m128i look_up_half(const __m256i *tables, uint32_t n, __m128i column) {
    return _mm256_castsi256_si128(look_up(tables, n, _mm256_castsi128_si256(column)));
}

INLINE __m256i load(const uint8_t *at) { return _mm256_load_si256((const __m256i *)(const void *)at); }

/* Where a rank is past its cut. */
INLINE __m256i is_right(const struct tables *tables, uint32_t n, int is_wide, const uint8_t *node) {
    __m256i column = load(node), low = _mm256_cmpgt_epi8(look_up(tables->low, n, column), load(node + LANES));
    __m256i high, cut;
    if (!is_wide) return low;
    high = look_up(tables->high, n, column);
    cut = load(node + SCAN_NARROW);
    return _mm256_or_si256(_mm256_cmpgt_epi8(high, cut), _mm256_and_si256(_mm256_cmpeq_epi8(high, cut), low));
}

/* 32 bits -> 32 bytes. */
INLINE __m256i spread(uint32_t bits) {
    const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3,
                                          3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201u);
    __m256i own = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), byte), bit);
    return _mm256_cmpeq_epi8(own, bit);
}

INLINE __m256i next(__m256i at, __m256i right, const uint8_t *node) {
    __m256i here = _mm256_cmpeq_epi8(at, load(node + 2 * LANES));
    return _mm256_add_epi8(at, _mm256_and_si256(_mm256_and_si256(right, load(node + 3 * LANES)), here));
}

INLINE void scan(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                 const uint64_t *bits, uint8_t *exit, uint32_t n, int is_wide) {
    const uint8_t *node = table->nodes + group->nodes;
    __m256i at = _mm256_setzero_si256(), too = at;
    struct tables tables;
    load_tables(ranks->low, n, tables.low);
    if (is_wide) load_tables(ranks->high, n, tables.high);
    for (uint32_t i = 0; i < group->n_nodes; i++, node += is_wide ? SCAN_WIDE : SCAN_NARROW) {
        __m256i right = is_right(&tables, n, is_wide, node), right_too = is_right(&tables, n, is_wide, node + 32);
        if (bits) {
            right = _mm256_or_si256(right, spread((uint32_t)bits[i]));
            right_too = _mm256_or_si256(right_too, spread((uint32_t)(bits[i] >> 32)));
        }
        at = next(at, right, node);
        too = next(too, right_too, node + 32);
    }
    _mm256_store_si256((__m256i *)(void *)exit, at);
    _mm256_store_si256((__m256i *)(void *)(exit + 32), too);
}

/* Which leaf of a branch has all nodes above it going its way. */
INLINE uint32_t leaf_of(const struct branch *branch, uint32_t right) {
    const __m256i passed = _mm256_setr_epi16(0, 0x1, 0x3, 0x7, 0xf, 0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff,
                                             0x1fff, 0x3fff, 0x7fff);
    __m256i path = _mm256_load_si256((const __m256i *)(const void *)branch->path);
    __m256i wrong = _mm256_and_si256(_mm256_xor_si256(_mm256_set1_epi16((short)right), passed), path);
    __m256i fits = _mm256_cmpeq_epi16(wrong, _mm256_setzero_si256());
    return (uint32_t)__builtin_ctz((uint32_t)_mm256_movemask_epi8(fits)) / 2;
}

INLINE void finish(const struct row_table *table, const struct row_ranks *ranks, const struct row_work *work,
                   uint32_t n_work, const struct row_bits *bits, uint32_t *leaf, uint32_t n, int is_wide) {
    struct tables tables;
    load_tables(ranks->low, n, tables.low);
    if (is_wide) load_tables(ranks->high, n, tables.high);
    for (uint32_t i = 0; i < n_work; i++) {
        const struct branch *branch = table->branches + work[i].branch;
        __m128i column = _mm_load_si128((const __m128i *)(const void *)branch->column);
        __m128i cut = _mm_load_si128((const __m128i *)(const void *)branch->cut);
        __m128i past = _mm_cmpgt_epi8(look_up_half(tables.low, n, column), cut);
        uint32_t right;
        if (is_wide) {
            __m128i high = look_up_half(tables.high, n, column);
            cut = _mm_load_si128((const __m128i *)(const void *)table->branch_high[work[i].branch]);
            past = _mm_or_si128(_mm_cmpgt_epi8(high, cut), _mm_and_si128(_mm_cmpeq_epi8(high, cut), past));
        }
        right = (uint32_t)_mm_movemask_epi8(past);
        if (bits->n) right |= branch_bits(table, bits, work[i].branch);
        leaf[work[i].lane] = branch->column[BRANCH_LEAVES - 1] + leaf_of(branch, right);
    }
}

/* Code of its own for up to 16, 32 and 64 columns. */
#define FOR_TABLES(CALL, ...)                                                                                         \
    do {                                                                                                             \
        uint32_t n_tables = table->n_tables;                                                                         \
        if (n_tables > FEW)                                                                                          \
            CALL(__VA_ARGS__, n_tables, table->is_wide != 0);                                                        \
        else if (table->is_wide)                                                                                     \
            n_tables > 2 ? CALL(__VA_ARGS__, 4, 1) : CALL(__VA_ARGS__, 2, 1);                                        \
        else if (n_tables > 2)                                                                                       \
            CALL(__VA_ARGS__, 4, 0);                                                                                 \
        else                                                                                                         \
            n_tables > 1 ? CALL(__VA_ARGS__, 2, 0) : CALL(__VA_ARGS__, 1, 0);                                        \
    } while (0)

static void scan_avx2(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                      const uint64_t *right, uint8_t *exit) {
    FOR_TABLES(scan, table, ranks, group, right, exit);
}

static void finish_avx2(const struct row_table *table, const struct row_ranks *ranks, const struct row_work *work,
                        uint32_t n, const struct row_bits *bits, uint32_t *leaf) {
    FOR_TABLES(finish, table, ranks, work, n, bits, leaf);
}

const struct row_path ROW_AVX2 = {rank_avx2, join_avx2, scan_avx2, finish_avx2};

END_OF_INSTRUCTIONS
#endif
