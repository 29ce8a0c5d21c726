/* A block of rows -> ranks, column after column. Inside the kernel only. */
#ifndef BAREBOAT_RANK_BLOCK_H
#define BAREBOAT_RANK_BLOCK_H

#include "batch_plan.h"
#include "rank.h"

/* A ranked block. A numeric rank of 1, 2 or 4 bytes is stored as `rank ^ 0x7f...`, so that a signed comparison finds
 * the cut above it: rank > cut when (cut ^ 0x7f...) > (rank ^ 0x7f...). */
struct block {
    void *rank;      /* (n_numeric, BLOCK) */
    uint32_t *code;  /* (n_categorical, BLOCK) dense codes */
    /* For scans of sets, (n_places, BLOCK) in all: of each categorical column first 1 << code % 8, then the byte of a
     * set in which the code's bit lies: with AVX-512 of the whole set, else, for each part of 16 bytes, its place in
     * it, or 128 when it is in another. */
    uint8_t *place;
};

/* Finds the ranks of n (at most BLOCK) values, none of them to be trusted: NaN has rank 0. */
typedef void (*searcher)(const struct batch *batch, const struct search *search, const void *value, uint32_t n,
                         void *rank);

/* Rank rows [first, first + n), n at most BLOCK. */
void rank_block(const struct forest *forest, const struct rows *rows, int64_t first, uint32_t n,
                const struct block *block);

/* Values are float32 where the forest's input is, else float64. */
void search_double(const struct batch *batch, const struct search *search, const void *value, uint32_t n, void *rank);
void search_single(const struct batch *batch, const struct search *search, const void *value, uint32_t n, void *rank);
#if defined(__x86_64__)
void search_double_avx2(const struct batch *batch, const struct search *search, const void *value, uint32_t n,
                        void *rank);
void search_single_avx2(const struct batch *batch, const struct search *search, const void *value, uint32_t n,
                        void *rank);
#endif

#endif
