// A Scene: what the picture of a Report shows, as plain data without any styling.
//
// From top to bottom it shows the outer graph in the order of backward: a box for each stage and, for stages in conflict, a
// frame for each checkpoint region. A frame holds the region's checkpoint node and, below it, lists of the parameters that it
// fires. A parameter has a row in one list per use, so that all links are short. Only representatives are drawn in full: runs
// of equal stages are folded into one box, and a few of a region's equal parameters stand for the rest. A box or a sentence
// accounts for whatever is left out.
//
// The number of boxes does not depend on the size of the model (see dot/select/selection.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradscan/report.h"
#include "gradscan/writers.h"

namespace gradscan {

struct Line {
  enum Style { strong, plain, small };
  std::string text;  // legible (dot/layout/labels.h)
  Style style = plain;
};

// A parameter in a list, or several that are not listed one by one.
struct Row {
  std::string id{};               // unique among rows and boxes: "parameter157_1"
  std::vector<int> parameters{};  // DDP indices, ascending
  std::vector<Line> lines{};
  std::string whole{};  // full description, shown on hover
  std::string next{};   // id of the row of the parameter's next use; the last leads back to the first
  bool named = false;   // the parameter in the title
  bool focus = false;   // the parameter that the picture is drawn around
};

struct Box {
  enum Shape {
    output,      // where backward starts
    stage,       // a part of the outer graph outside regions
    checkpoint,  // the node that stands for a region in the outer graph
    list,        // parameters that a single backward pass fires, or that nothing fires
    fold,        // several stages, or one that is not drawn in full
    search,      // DDP's search for unused parameters
    pass,        // the backward pass that fires; bare text between a checkpoint or stage and its parameters
    marking,     // the source of marks without a firing; bare text between the search and parameters
    message,     // torch's message, if it names no parameter
    tensor,      // a node of the outer graph that a backward pass reaches from outside its path
  };
  std::string id{};  // unique: "stage4", "checkpoint15"; equal for the same part of the same model
  Shape shape = stage;
  std::vector<Line> lines{};                  // of a list: below its rows
  std::vector<Row> rows{};                    // of a list
  std::string frame{};                        // id of the innermost frame that holds it; empty: none
  std::optional<Kind> regions{};              // of a fold or checkpoint: the kind of its regions, if they share one
  int folds = 1;                              // stages that a fold stands for
  bool conflict = false;                      // drawn to stand out
  int region = none;                          // of a checkpoint, or of a fold of a single region
  int first_stage = none, last_stage = none;  // positions in Report::stages that it stands for
  std::string whole{};                        // like Row::whole
};

// A checkpoint region.
struct RegionFrame {
  std::string id{};
  std::string parent{};  // id of the frame around it; empty: none
  Kind kind = Kind::reentrant;
  bool conflict = false;
  int region = none;
};

struct Link {
  enum Meaning {
    backward,  // gradients flow from one stage to the next
    firing,    // a backward pass reaches a parameter: its hook fires
    silence,   // a gradient that never comes
    mark,      // DDP's search marks a parameter ready
    stop,      // the search ends here
    walk,      // the search starts here
    same,      // two uses of one parameter; undirected
    astray,    // a backward pass reaches a node outside its region
    again,     // another backward takes the same path
    below,     // invisible: keeps what is below a frame below everything in it
  };
  std::string from{}, to{};  // ids of boxes
  Meaning meaning = backward;
  std::vector<Line> lines{};
  bool conflict = false;
  bool into_text = false;    // leads to text on its path, so it has no arrowhead
  bool only_narrow = false;  // of a `below`: only used if the picture would otherwise be too wide
};

struct Scene {
  Severity severity = Severity::clean;
  std::vector<Line> header;         // the verdict, what was scanned, why
  std::vector<Line> footer;         // what is left out, fixes
  std::string summary;              // header and footer as prose, for screen readers
  std::vector<RegionFrame> frames;  // parents before children
  std::vector<Box> boxes;
  std::vector<Link> links;
};

// Widths of the whole picture and of the text in it, in points, which are pixels at the picture's natural size.
inline constexpr double page_width = 800, text_column = 764;

// Throws Error (usage) if there is no such focus.
Scene make_scene(const Report& report, const PictureOptions& options = {});

}  // namespace gradscan
