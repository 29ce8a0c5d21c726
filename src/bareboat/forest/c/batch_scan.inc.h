/* The scan of one instruction set. Included once by the file that defines, for vectors of LANES bytes:
 *
 *   vector, mask            LANES leaves; what a comparison of them gives
 *   vector SPLAT(byte)      the byte in each lane
 *   mask ABOVE_8(cut, at)   cut > the LANES signed bytes at an aligned address
 *   mask ABOVE_16(cut, at)  cut > the LANES signed 16-bit numbers there
 *   vector MOVED(leaf, first, right, mask)  `right` where leaf == first and the mask is set, else leaf
 *   STORE(to, leaf)         and STORE_16, which undoes the order that ABOVE_16 has put the lanes in
 *   outside(...)            as below
 *   IN_FLIGHT               vectors at once
 */

/* -1 for each of n rows whose code is not in a set, else 0, into `side`. `place` is the column's rows of a block, `set`
 * n_bytes of bits; `parts` says which parts of 16 bytes are not zero. */
INLINE void outside(const uint8_t *place, const uint8_t *set, uint32_t n_bytes, uint32_t parts, uint32_t n,
                    int8_t *side);

struct test {
    const char *rank; /* of the node's column */
    int16_t cut;
    uint8_t first, right;
};

/* Node `i`, of a rank's size and a kind that the compiler knows. */
INLINE struct test test_of(const struct forest *forest, const struct block *block, const void *nodes, uint32_t i,
                             uint32_t size, int is_file, int has_sets, const char **side) {
    struct test test;
    uint32_t column;
    if (is_file) {
        const uint8_t *node = (const uint8_t *)nodes + 4 * (uint64_t)i;
        column = node[COLUMN];
        test = (struct test){0, (int16_t)(node[CUT] ^ 0x7f), node[FIRST], node[RIGHT]};
    } else {
        const struct scan_node *node = (const struct scan_node *)nodes + i;
        column = node->column;
        test = (struct test){0, (int16_t)(node->cut ^ (size == 1 ? 0x7f : 0x7fff)), node->first, node->right};
    }
    test.rank = (const char *)block->rank + (uint64_t)column * BLOCK * size;
    if (has_sets) {
        int is_set = column >= forest->n_numeric;
        test.rank = is_set ? *side : test.rank;
        test.cut = is_set ? 0 : test.cut;
        *side += is_set ? BLOCK * size : 0;
    }
    return test;
}

/* Scan V vectors of rows from row `at` on. */
INLINE void scan_rows(const struct forest *forest, const struct block *block, const void *nodes, uint32_t n_nodes,
                      const char *side, uint8_t *leaf, uint32_t at, const int V, uint32_t size, int is_file,
                      int has_sets) {
    vector lane[IN_FLIGHT];
    UNROLL for (int v = 0; v < V; v++) lane[v] = SPLAT(0);
    for (uint32_t i = 0; i < n_nodes; i++) {
        struct test test = test_of(forest, block, nodes, i, size, is_file, has_sets, &side);
        vector first = SPLAT((char)test.first), right = SPLAT((char)test.right);
        if (size == 1) {
            const int8_t *rank = (const int8_t *)test.rank + at;
            vector cut = SPLAT((char)test.cut);
            UNROLL for (int v = 0; v < V; v++) lane[v] = MOVED(lane[v], first, right, ABOVE_8(cut, rank + v * LANES));
        } else {
            const int16_t *rank = (const int16_t *)(const void *)test.rank + at;
            vector cut = SPLAT_16(test.cut);
            UNROLL for (int v = 0; v < V; v++) lane[v] = MOVED(lane[v], first, right, ABOVE_16(cut, rank + v * LANES));
        }
    }
    UNROLL for (int v = 0; v < V; v++) {
        if (size == 1)
            STORE(leaf + at + v * LANES, lane[v]);
        else
            STORE_16(leaf + at + v * LANES, lane[v]);
    }
}

INLINE void scan_block(const struct forest *forest, const struct block *block, const void *nodes, uint32_t n_nodes,
                       const char *side, uint8_t *leaf, uint32_t n, uint32_t size, int is_file, int has_sets) {
    uint32_t at = 0;
    while (at + LANES < n && at + IN_FLIGHT * LANES <= BLOCK) {
        scan_rows(forest, block, nodes, n_nodes, side, leaf, at, IN_FLIGHT, size, is_file, has_sets);
        at += IN_FLIGHT * LANES;
    }
    for (; at < n; at += LANES) scan_rows(forest, block, nodes, n_nodes, side, leaf, at, 1, size, is_file, has_sets);
}

/* Find what the tree's sets send right; tell whether it has any. */
INLINE int find_sides(const struct forest *forest, const struct batch *batch, const struct tree_plan *plan,
                      uint32_t tree, const struct block *block, uint32_t n, int8_t *side) {
    const char *file = (const char *)forest->at[NODES] + 4 * plan->at, *here = batch->nodes + plan->at;
    const void *nodes = plan->how == SCAN_FILE ? file : here;
    uint32_t first_set = words(forest, SET_START)[tree], n_found = 0;
    n = (n + LANES - 1) / LANES * LANES;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct scan_node *own = (const struct scan_node *)nodes + i;
        const uint8_t *node = (const uint8_t *)nodes + 4 * (uint64_t)i;
        uint32_t column = plan->how == SCAN_FILE ? node[COLUMN] : own->column, set = first_set;
        const uint32_t *start;
        const struct code_plan *code;
        int8_t *to = side + (uint64_t)n_found * BLOCK * batch->rank_size;
        if (column < forest->n_numeric) continue;
        set += plan->how == SCAN_FILE ? node[CUT] : own->cut;
        start = batch->set_start + set;
        code = batch->code + (column - forest->n_numeric);
        outside(block->place + code->place * BLOCK, batch->set_bytes + 16ull * start[0], 16 * (start[1] - start[0]),
                batch->set_parts[set], n, to);
        if (batch->rank_size == 2)
            for (uint32_t row = n; row--;) ((int16_t *)(void *)to)[row] = to[row];
        n_found++;
    }
    return n_found != 0;
}

void SCAN(const struct forest *forest, uint32_t tree, const struct block *block, uint32_t n, void *side,
          uint8_t *leaf) {
    const struct batch *batch = forest->table[BATCH_TABLE];
    const struct tree_plan *plan = batch->tree + tree;
    int has_sets = batch->n_categorical && find_sides(forest, batch, plan, tree, block, n, side);
    const void *file = (const char *)forest->at[NODES] + 4 * plan->at, *own = batch->nodes + plan->at;
    uint32_t count = plan->n_nodes;
    if (plan->how == SCAN_FILE) {
        if (has_sets)
            scan_block(forest, block, file, count, side, leaf, n, 1, 1, 1);
        else
            scan_block(forest, block, file, count, side, leaf, n, 1, 1, 0);
    } else if (batch->rank_size == 1) {
        scan_block(forest, block, own, count, side, leaf, n, 1, 0, 1);
    } else {
        scan_block(forest, block, own, count, side, leaf, n, 2, 0, 1);
    }
}
