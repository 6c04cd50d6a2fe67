// The look of a Scene, as a Graphviz graph.
//
// A box is a node, a frame a cluster, a link an edge. Every text is an HTML-like label in a cell that is wide enough for the
// widest of the usual fonts, because the browser that shows the SVG chooses the font, not Graphviz. What must be told apart
// differs in line style and words, not in colour alone.
//
// cgraph keeps global state: call these in one thread of a process only (dot/layout.h makes such a process).
#pragma once

#include <graphviz/cgraph.h>

#include <string>

#include "dot/scene.h"

namespace gradscan {

// The graph is never closed: it lives as long as its process.
Agraph_t& make_graph(const Scene& scene);

// Graphviz source, as cgraph writes and escapes it.
std::string write_dot(Agraph_t& graph);

}  // namespace gradscan
