// Laying out a Scene with Graphviz, at arm's length.
//
// Graphviz decides where things stand, and nothing else: it gets sizes and links, and gives back places and curves. It knows
// neither words nor fonts, so a layout depends on the Scene and on the version of Graphviz only.
//
// libgvc may call exit(), write to stderr, crash, or take minutes, it is not thread-safe, and so is cgraph. So whatever touches
// either runs in a child process (analyzer/base/child_process.h), which has a time limit.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dot/scene/scene.h"

namespace gradscan {

// Points (1/72 inch), from the upper left corner.
struct Point {
  double x = 0, y = 0;
};

struct Area {
  double left = 0, top = 0, width = 0, height = 0;
  Point centre() const { return {left + width / 2, top + height / 2}; }
};

struct Route {
  std::vector<Point> curve;    // 1 + 3 n control points of cubic Bézier curves
  std::optional<Point> tip{};  // of the arrowhead, which begins where the curve ends; empty: there is none
  Point label{};               // centre of the text beside it
};

struct Layout {
  std::string by;  // version of Graphviz
  double width = 0, height = 0;
  std::map<std::string, Area> boxes, frames;  // by id
  std::vector<Route> routes;                  // in the order of Scene::links; empty for those that are not seen
};

// What `work` returns, computed in a child process; an Error that it throws is thrown here. Throws Error: limit if it takes
// longer than `time_limit`, output if the child ends without a result. Their lines are about Graphviz and have no subject and
// no remedy. May be called by several threads at a time.
std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit);

// If the picture would become wider than `most`, in a single column as far as possible. Nothing is freed (Graphviz crashes over
// freeing some layouts): for a process that ends next. Throws Error (output).
Layout lay_out(const Scene& scene, double most);

}  // namespace gradscan
