/* Path-dependent SHAP values with the instructions that every CPU of this machine has. */
#define EXPLAIN_TREE explain_tree
#include "shap_path.h"
