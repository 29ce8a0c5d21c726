/* The paths: which instructions this CPU has, and the tables that each path adds to an open forest. Inside the kernel
 * only. */
#ifndef BAREBOAT_PATHS_H
#define BAREBOAT_PATHS_H

#include "file.h"

/* Return the path to take for the one that a caller asks for (enum in kernel.h), or 0 when this CPU lacks it. */
uint32_t path_for(uint32_t wanted);

/* Makes one of the tables of `struct forest`.
 *
 *   room   how many bytes it takes at most, for any path. Called before the file is checked: the header is sound and
 *          every section lies inside the file, so that header, counts and kinds may be looked at, but counts may not
 *          fit together, and nothing that stands in a section is to be trusted or read. n_leaves and n_features are
 *          at most a quarter of the file's size, n_trees is at most n_leaves, n_outputs at most the size.
 *   build  fills it, 64-aligned, once the whole file is checked and `forest->path` is set; 0 bytes are not built. It
 *          may set forest->table[...] to NULL when the path at hand has no use for it. Returns how many bytes of it
 *          are used: the next table starts behind them. */
struct maker {
    uint64_t (*room)(const struct forest *forest);
    uint64_t (*build)(struct forest *forest, void *room);
};

/* The maker of each table; one without `room` does not exist. */
extern const struct maker MAKERS[N_TABLES];

/* Bytes up to the next multiple of 64. */
static inline uint64_t aligned(uint64_t size) { return (size + 63) & ~63ull; }

#endif
