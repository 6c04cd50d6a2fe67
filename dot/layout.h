// Laying out a graph with Graphviz, at arm's length.
//
// libgvc may call exit(), write to stderr, crash, or take minutes, it is not thread-safe, and so is cgraph. So whatever touches
// either runs in a child process (analyzer/child_process.h), which has a time limit.
#pragma once

#include <graphviz/cgraph.h>

#include <chrono>
#include <functional>
#include <string>

namespace gradscan {

// What `work` returns, computed in a child process; an Error that it throws is thrown here. Throws Error: limit if it takes
// longer than `time_limit`, output if the child ends without a result. Their lines are about Graphviz and have no subject and
// no remedy. May be called by several threads at a time.
std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit);

// The graph as SVG, laid out by Graphviz' dot with its built-in estimates of text widths, so that the picture does not depend
// on the fonts of this machine. Nothing is freed (Graphviz crashes over freeing some layouts): for a process that ends next.
// Throws Error (output).
std::string render_svg(Agraph_t& graph);

}  // namespace gradscan
