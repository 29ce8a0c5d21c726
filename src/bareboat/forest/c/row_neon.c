/* One row with NEON: 16 lanes, four vectors of them at a time. */
#if defined(__aarch64__)
#include "simd.h"

#include "row_path.h"

static void rank_neon(const struct forest *forest, const struct row_table *table, const double *row, uint32_t *rank) {
    int is_single = has_flag(forest, SINGLE_INPUT), is_zero = has_flag(forest, TINY_IS_ZERO);
    for (uint32_t i = 0; i < forest->n_numeric; i++) {
        const struct rank_column *column = table->columns + i;
        double value = column_value(column, row, is_single, is_zero);
        float64x2_t x = vdupq_n_f64(value);
        uint32_t n = 0;
        for (uint32_t level = 0; level < column->levels; level++) {
            const double *number = table->thresholds + column->level[level] + FANOUT * n;
            uint64x2_t below = vdupq_n_u64(0), too = below;
            for (uint32_t at = 0; at < FANOUT; at += 4) {
                below = vsubq_u64(below, vcltq_f64(vld1q_f64(number + at), x));
                too = vsubq_u64(too, vcltq_f64(vld1q_f64(number + at + 2), x));
            }
            n = FANOUT * n + (uint32_t)vaddvq_u64(vaddq_u64(below, too));
        }
        rank[i] = value != value ? column->missing : n;
    }
}

static void join_neon(const struct row_bits *bits, uint32_t n_words, uint64_t *into) {
    for (uint32_t word = 0; word < n_words; word += 2) {
        uint64x2_t all = vdupq_n_u64(0);
        for (uint32_t i = 0; i < bits->n; i++)
            all = vorrq_u64(all, vreinterpretq_u64_u8(vld1q_u8(bits->of[i] + 8ull * word)));
        vst1q_u64(into + word, all);
    }
}

/* Ranks for looking up: n times 64. */
struct tables {
    uint8x16x4_t low[4], high[4];
};

INLINE void load_tables(const uint8_t *rank, uint32_t n, uint8x16x4_t *tables) {
    UNROLL for (uint32_t i = 0; i < n; i++) tables[i] = vld1q_u8_x4(rank + LANES * i);
}

INLINE int8x16_t look_up(const uint8x16x4_t *tables, uint32_t n, uint8x16_t column) {
    uint8x16_t rank = vqtbl4q_u8(tables[0], column);
    UNROLL for (uint32_t i = 1; i < n; i++) {
        column = vsubq_u8(column, vdupq_n_u8(LANES));
        rank = vqtbx4q_u8(rank, tables[i], column);
    }
    return vreinterpretq_s8_u8(rank);
}

INLINE int8x16_t load_signed(const uint8_t *at) { return vreinterpretq_s8_u8(vld1q_u8(at)); }

/* Where a rank is past its cut; cuts lie `cut` and `high` bytes further. */
INLINE uint8x16_t is_right(const struct tables *tables, uint32_t n, int is_wide, const uint8_t *column,
                           const uint8_t *cut, const uint8_t *high_cut) {
    uint8x16_t columns = vld1q_u8(column), low = vcgtq_s8(look_up(tables->low, n, columns), load_signed(cut));
    int8x16_t high, high_cuts;
    if (!is_wide) return low;
    high = look_up(tables->high, n, columns);
    high_cuts = load_signed(high_cut);
    return vorrq_u8(vcgtq_s8(high, high_cuts), vandq_u8(vceqq_s8(high, high_cuts), low));
}

static const uint8_t BIT[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
static const uint8_t BYTE[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};

/* 16 bits -> 16 bytes. */
INLINE uint8x16_t spread(uint16_t bits) {
    uint8x16_t all = vqtbl1q_u8(vreinterpretq_u8_u16(vdupq_n_u16(bits)), vld1q_u8(BYTE));
    return vtstq_u8(all, vld1q_u8(BIT));
}

INLINE void scan(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                 const uint64_t *bits, uint8_t *exit, uint32_t n, int is_wide) {
    const uint8_t *node = table->nodes + group->nodes;
    uint8x16_t at[4] = {vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)};
    struct tables tables;
    load_tables(ranks->low, n, tables.low);
    if (is_wide) load_tables(ranks->high, n, tables.high);
    for (uint32_t i = 0; i < group->n_nodes; i++, node += is_wide ? SCAN_WIDE : SCAN_NARROW)
        UNROLL for (uint32_t part = 0; part < 4; part++) {
            const uint8_t *lane = node + 16 * part;
            uint8x16_t right = is_right(&tables, n, is_wide, lane, lane + LANES, lane + SCAN_NARROW);
            if (bits) right = vorrq_u8(right, spread((uint16_t)(bits[i] >> 16 * part)));
            right = vandq_u8(right, vceqq_u8(at[part], vld1q_u8(lane + 2 * LANES)));
            at[part] = vaddq_u8(at[part], vandq_u8(right, vld1q_u8(lane + 3 * LANES)));
        }
    UNROLL for (uint32_t part = 0; part < 4; part++) vst1q_u8(exit + 16 * part, at[part]);
}

static const uint16_t PASSED[16] = {0,    0x1,   0x3,   0x7,   0xf,   0x1f,   0x3f,   0x7f,
                                    0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff, 0x1fff, 0x3fff, 0x7fff};

/* Which leaf of a branch has all nodes above it going its way. */
INLINE uint32_t leaf_of(const struct branch *branch, uint32_t right) {
    uint16x8_t mask = vdupq_n_u16((uint16_t)right);
    uint16x8_t low = vandq_u16(veorq_u16(mask, vld1q_u16(PASSED)), vld1q_u16(branch->path));
    uint16x8_t high = vandq_u16(veorq_u16(mask, vld1q_u16(PASSED + 8)), vld1q_u16(branch->path + 8));
    uint8x16_t fits = vcombine_u8(vmovn_u16(vceqzq_u16(low)), vmovn_u16(vceqzq_u16(high)));
    uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(fits), 4);
    return (uint32_t)__builtin_ctzll(vget_lane_u64(vreinterpret_u64_u8(nibbles), 0)) / 4;
}

INLINE void finish(const struct row_table *table, const struct row_ranks *ranks, const struct row_work *work,
                   uint32_t n_work, const struct row_bits *bits, uint32_t *leaf, uint32_t n, int is_wide) {
    struct tables tables;
    load_tables(ranks->low, n, tables.low);
    if (is_wide) load_tables(ranks->high, n, tables.high);
    for (uint32_t i = 0; i < n_work; i++) {
        const struct branch *branch = table->branches + work[i].branch;
        const uint8_t *high = is_wide ? table->branch_high[work[i].branch] : 0;
        uint8x16_t past = vandq_u8(is_right(&tables, n, is_wide, branch->column, branch->cut, high), vld1q_u8(BIT));
        uint32_t right = vaddv_u8(vget_low_u8(past)) | (uint32_t)vaddv_u8(vget_high_u8(past)) << 8;
        if (bits->n) right |= branch_bits(table, bits, work[i].branch);
        leaf[work[i].lane] = branch->column[BRANCH_LEAVES - 1] + leaf_of(branch, right);
    }
}

/* Code of its own for up to 64 columns. */
#define FOR_TABLES(CALL, ...)                                                                                         \
    do {                                                                                                             \
        uint32_t n = (table->n_tables + 3) / 4;                                                                      \
        if (n == 1)                                                                                                  \
            table->is_wide ? CALL(__VA_ARGS__, 1, 1) : CALL(__VA_ARGS__, 1, 0);                                      \
        else                                                                                                         \
            table->is_wide ? CALL(__VA_ARGS__, n, 1) : CALL(__VA_ARGS__, n, 0);                                      \
    } while (0)

static void scan_neon(const struct row_table *table, const struct row_ranks *ranks, const struct lane_group *group,
                      const uint64_t *right, uint8_t *exit) {
    FOR_TABLES(scan, table, ranks, group, right, exit);
}

static void finish_neon(const struct row_table *table, const struct row_ranks *ranks, const struct row_work *work,
                        uint32_t n_work, const struct row_bits *bits, uint32_t *leaf) {
    FOR_TABLES(finish, table, ranks, work, n_work, bits, leaf);
}

const struct row_path ROW_NEON = {rank_neon, join_neon, scan_neon, finish_neon};
#endif
