// Laying out a Scene with Graphviz, at arm's length.
//
// Graphviz decides only where things go: it gets sizes and links and returns positions and curves. It sees neither text nor
// fonts, so a layout depends only on the Scene and the version of Graphviz.
//
// libgvc may call exit(), write to stderr, crash, or take minutes, and neither it nor cgraph is thread-safe. So everything that
// touches them runs in a child process with a time limit (analyzer/base/child_process.h).
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
  std::optional<Point> tip{};  // of the arrowhead, which starts where the curve ends; empty: no arrowhead
  Point label{};               // centre of the text beside it
};

struct Layout {
  std::string by;  // version of Graphviz
  double width = 0, height = 0;
  std::map<std::string, Area> boxes, frames;  // by id
  std::vector<Route> routes;                  // in the order of Scene::links; empty for invisible links
};

// Runs `work` in a child process and returns its result; rethrows an Error that it throws. Throws Error: limit if it takes
// longer than `time_limit`, output if the child ends without a result. These messages are about Graphviz, without subject or
// remedy. Thread-safe.
std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit);

// If the picture would be wider than `most`, stages go into a single column as far as possible. Frees nothing (Graphviz crashes
// when it frees some layouts), so call it in a process that is about to end. Throws Error (output).
Layout lay_out(const Scene& scene, double most);

}  // namespace gradscan
