// Consecutive numbers as ids for the objects in a cgraph graph.
//
// cgraph's default discipline uses the address of a name as its id and orders subgraphs by id, so the same graph is written and
// laid out differently from run to run. Here names are numbered in the order of creation.
#pragma once

#include <graphviz/cgraph.h>

namespace gradscan {

// Pass this to agopen().
Agdisc_t* dense_ids();

}  // namespace gradscan
