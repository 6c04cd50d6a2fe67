// A Scene: what the picture of a Report shows, as plain data without any look.
//
// From top to bottom it is the outer graph in the order of backward: boxes for its stages and, for stages in conflict, a frame
// for each checkpoint region with its checkpoint node and, below, the parameters that it fires. A parameter is drawn once for
// every use (several leaves with one number), so that every link is short. Only representatives are drawn in full: equal
// stages that follow one another are folded into one box, and a few of a region's equal parameters stand for all. Whatever is
// left out, a box or a sentence says so.
//
// The number of boxes does not depend on the model's size: it is about 150 at most.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

struct Line {
  enum Style { strong, plain, small };
  std::string text;  // legible (dot/labels.h)
  Style style = plain;
};

struct Box {
  enum Shape {
    output,      // where backward starts
    stage,       // a part of the outer graph outside of regions
    checkpoint,  // the node that stands for a region in the outer graph
    parameter,   // one use of a parameter, or of several equal ones
    fold,        // several stages, or one that is not drawn in full
    search,      // DDP's search for unused parameters
    pass,        // where firings come from: a backward pass; bare text between a checkpoint or stage and its parameters
    marking,     // where marks without a firing come from; bare text between the search and parameters
    message,     // what torch says, where no parameter carries it
  };
  std::string id{};  // unique, of dense numbers: "parameter157_0"
  Shape shape = stage;
  std::vector<Line> lines{};
  std::string frame{};            // id of the innermost frame that holds it; empty: none
  std::optional<Kind> regions{};  // of a fold or checkpoint: the kind of its regions, if there is just one
  int folds = 1;                  // stages that a fold stands for
  bool conflict = false;          // to be drawn loud
  bool named = false;             // the parameter of the title
};

// A checkpoint region.
struct RegionFrame {
  std::string id{};
  std::string parent{};  // id of the frame around it; empty: none
  Kind kind = Kind::reentrant;
  bool conflict = false;
};

struct Link {
  enum Meaning {
    backward,  // gradients flow from one stage to the next
    firing,    // a backward pass reaches a parameter: its hook fires
    silence,   // a gradient that never comes
    mark,      // DDP's search marks a parameter ready
    stop,      // the search ends here
    walk,      // the search starts here
    same,      // two uses of one parameter; without direction
    below,     // not seen: what stands below a frame stands below all that is in it
  };
  std::string from{}, to{};  // ids of boxes
  Meaning meaning = backward;
  std::vector<Line> lines{};
  bool conflict = false;
  bool into_text = false;  // leads to a text on its way, so it has no arrowhead
};

struct Scene {
  std::vector<Line> header;         // the verdict in words, what was scanned, why
  std::vector<Line> footer;         // what is left out, what helps
  std::vector<RegionFrame> frames;  // parents before children
  std::vector<Box> boxes;
  std::vector<Link> links;
};

Scene make_scene(const Report& report);

}  // namespace gradscan
