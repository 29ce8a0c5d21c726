/* One row with AVX-512 VBMI: a group of 64 lanes is one vector, and a decision of them one mask. */
#if defined(__x86_64__)
#define USE_AVX512
#include "simd.h"

#include "row_path.h"

static void rank_avx512(const struct forest *forest, const struct row_table *table, const double *row,
                               uint32_t *rank) {
    int is_single = has_flag(forest, SINGLE_INPUT), is_zero = has_flag(forest, TINY_IS_ZERO);
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        const struct rank_column *column = table->columns + i;
        double value = column_value(column, row, is_single, is_zero);
        __m512d x = _mm512_set1_pd(value);
        uint32_t n = 0;
        for (uint32_t level = 0; level < column->levels; level++) {
            const double *number = table->thresholds + column->level[level] + FANOUT * n;
            uint32_t low = _mm512_cmp_pd_mask(_mm512_load_pd(number), x, _CMP_LT_OQ);
            uint32_t high = _mm512_cmp_pd_mask(_mm512_load_pd(number + 8), x, _CMP_LT_OQ);
            n = FANOUT * n + (uint32_t)__builtin_popcount(low | high << 8);
        }
        rank[i] = value != value ? column->missing : n;
    }
}

static void join_avx512(const struct row_bits *bits, uint32_t n_words, uint64_t *into) {
    for (uint32_t word = 0; word < n_words; word += 8) {
        __m512i all = _mm512_setzero_si512();
        for (uint32_t i = 0; i < bits->n; i++)
            all = _mm512_or_si512(all, _mm512_load_si512((const void *)(bits->of[i] + 8ull * word)));
        _mm512_store_si512((void *)(into + word), all);
    }
}

/* Ranks for looking up: n vectors of 64. */
struct tables {
    __m512i low[4], high[4];
};

INLINE void load_tables(const uint8_t *rank, uint32_t n, __m512i *tables) {
    UNROLL for (uint32_t i = 0; i < n; i++) tables[i] = _mm512_load_si512((const void *)(rank + LANES * i));
}

INLINE __m512i look_up(const __m512i *tables, uint32_t n, __m512i column) {
    __m512i low, high;
    if (n == 1) return _mm512_permutexvar_epi8(column, tables[0]);
    low = _mm512_permutex2var_epi8(tables[0], column, tables[1]);
    if (n == 2) return low;
    high = _mm512_permutex2var_epi8(tables[2], column, tables[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(column), low, high);
}

INLINE __m512i load(const uint8_t *at) { return _mm512_load_si512((const void *)at); }

INLINE void scan(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                 const uint64_t *bits, uint8_t *exit, uint32_t n, int is_wide) {
    const uint8_t *node = table->nodes + group->nodes;
    __m512i at = _mm512_setzero_si512();
    struct tables tables;
    load_tables(ranks->low, n, tables.low);
    if (is_wide) load_tables(ranks->high, n, tables.high);
    for (uint32_t i = 0; i < group->n_nodes; i++, node += is_wide ? SCAN_WIDE : SCAN_NARROW) {
        __m512i column = load(node);
        __mmask64 right = _mm512_cmpgt_epi8_mask(look_up(tables.low, n, column), load(node + LANES));
        if (is_wide) {
            __m512i high = look_up(tables.high, n, column), cut = load(node + SCAN_NARROW);
            right = _mm512_mask_cmpeq_epi8_mask(right, high, cut) | _mm512_cmpgt_epi8_mask(high, cut);
        }
        if (bits) right |= bits[i];
        right = _mm512_mask_cmpeq_epi8_mask(right, at, load(node + 2 * LANES));
        at = _mm512_mask_add_epi8(at, right, at, load(node + 3 * LANES));
    }
    _mm512_store_si512((void *)exit, at);
}

/* Which leaf of a branch has all nodes above it going its way. */
INLINE uint32_t leaf_of(const struct branch *branch, uint32_t right) {
    const __m256i passed = _mm256_setr_epi16(0, 0x1, 0x3, 0x7, 0xf, 0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff,
                                             0x1fff, 0x3fff, 0x7fff);
    __m256i path = _mm256_load_si256((const __m256i *)(const void *)branch->path);
    __m256i differs = _mm256_xor_si256(_mm256_set1_epi16((short)right), passed);
    return (uint32_t)__builtin_ctz(_mm256_testn_epi16_mask(differs, path));
}

INLINE __m128i look_up_16(const __m512i *tables, uint32_t n, __m128i column) {
    return _mm512_castsi512_si128(look_up(tables, n, _mm512_castsi128_si512(column)));
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
        uint32_t right = _mm_cmpgt_epi8_mask(look_up_16(tables.low, n, column), cut);
        if (is_wide) {
            __m128i high = look_up_16(tables.high, n, column);
            cut = _mm_load_si128((const __m128i *)(const void *)table->branch_high[work[i].branch]);
            right = (right & _mm_cmpeq_epi8_mask(high, cut)) | _mm_cmpgt_epi8_mask(high, cut);
        }
        if (bits->n) right |= branch_bits(table, bits, work[i].branch);
        leaf[work[i].lane] = branch->column[BRANCH_LEAVES - 1] + leaf_of(branch, right);
    }
}

/* Code of its own for up to 64, 128 and 256 columns. */
#define FOR_TABLES(CALL, ...)                                                                                         \
    do {                                                                                                             \
        if (table->n_tables <= 4)                                                                                    \
            table->is_wide ? CALL(__VA_ARGS__, 1, 1) : CALL(__VA_ARGS__, 1, 0);                                      \
        else if (table->n_tables <= 8)                                                                               \
            table->is_wide ? CALL(__VA_ARGS__, 2, 1) : CALL(__VA_ARGS__, 2, 0);                                      \
        else                                                                                                         \
            table->is_wide ? CALL(__VA_ARGS__, 4, 1) : CALL(__VA_ARGS__, 4, 0);                                      \
    } while (0)

static void scan_avx512(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                        const uint64_t *right, uint8_t *exit) {
    FOR_TABLES(scan, table, ranks, group, right, exit);
}

static void finish_avx512(const struct row_table *table, const struct row_ranks *ranks,
                                 const struct row_work *work, uint32_t n, const struct row_bits *bits, uint32_t *leaf) {
    FOR_TABLES(finish, table, ranks, work, n, bits, leaf);
}

const struct row_path ROW_AVX512 = {rank_avx512, join_avx512, scan_avx512, finish_avx512};

END_OF_INSTRUCTIONS
#endif
