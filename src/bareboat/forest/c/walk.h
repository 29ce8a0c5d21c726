/* Ranks -> leaves -> sums, one tree after the other. Inside the kernel only. */
#ifndef BAREBOAT_WALK_H
#define BAREBOAT_WALK_H

#include "file.h"

/* The leaf of a tree that ranks lead to, counted from left to right within the tree. */
uint32_t walk(const struct forest *forest, uint32_t tree, const uint32_t *rank);

/* Set out (n_outputs) to where the sums start. */
void start_sums(const struct forest *forest, double *out);

/* Add what a leaf (within its tree) holds for a row that has been read. */
void add_leaf(const struct forest *forest, uint32_t tree, uint32_t leaf, const double *value, double *out);

#endif
