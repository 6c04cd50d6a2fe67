// Dense numbers as the identities of what a cgraph graph holds.
//
// cgraph's own discipline takes the address of a name for its identity and keeps subgraphs in the order of identities, so
// the same graph is written, and laid out, differently from run to run. Here names are numbered in the order of their creation.
#pragma once

#include <graphviz/cgraph.h>

namespace gradscan {

// To be passed to agopen().
Agdisc_t* dense_ids();

}  // namespace gradscan
