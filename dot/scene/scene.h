// A Scene: what the picture of a Report shows, as plain data without any look.
//
// From top to bottom it is the outer graph in the order of backward: boxes for its stages and, for stages in conflict, a frame
// for each checkpoint region with its checkpoint node and, below, lists of the parameters that it fires. A parameter is a row
// in one list for every use, so that every link is short. Only representatives are drawn in full: equal stages that follow one
// another are folded into one box, and a few of a region's equal parameters stand for all. Whatever is left out, a box or a
// sentence says so.
//
// The number of boxes does not depend on the model's size (see dot/select/selection.h).
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

// A parameter in a list, or several that are not told one by one.
struct Row {
  std::string id{};               // unique among rows and boxes: "parameter157_1"
  std::vector<int> parameters{};  // DDP indices, ascending
  std::vector<Line> lines{};
  std::string whole{};  // all that is known of it, for a reader who points at it
  std::string next{};   // id of the row of the parameter's next use; of its first one behind the last
  bool named = false;   // the parameter of the title
  bool focus = false;   // the parameter that the picture is drawn around
};

struct Box {
  enum Shape {
    output,      // where backward starts
    stage,       // a part of the outer graph outside of regions
    checkpoint,  // the node that stands for a region in the outer graph
    list,        // parameters that one backward pass fires, or that nothing fires
    fold,        // several stages, or one that is not drawn in full
    search,      // DDP's search for unused parameters
    pass,        // where firings come from: a backward pass; bare text between a checkpoint or stage and its parameters
    marking,     // where marks without a firing come from; bare text between the search and parameters
    message,     // what torch says, where no parameter carries it
    tensor,      // a node of the outer graph that a backward pass comes to besides its own way
  };
  std::string id{};  // unique: "stage4", "checkpoint15"; the same for the same part of the same model
  Shape shape = stage;
  std::vector<Line> lines{};                  // of a list: below its rows
  std::vector<Row> rows{};                    // of a list
  std::string frame{};                        // id of the innermost frame that holds it; empty: none
  std::optional<Kind> regions{};              // of a fold or checkpoint: the kind of its regions, if there is just one
  int folds = 1;                              // stages that a fold stands for
  bool conflict = false;                      // to be drawn loud
  int region = none;                          // of a checkpoint, or of a fold of a single region
  int first_stage = none, last_stage = none;  // positions in Report::stages that it stands for
  std::string whole{};                        // as Row::whole
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
    same,      // two uses of one parameter; without direction
    astray,    // a backward pass comes to a node of the graph outside of its region
    again,     // a further backward takes the same way
    below,     // not seen: what stands below a frame stands below all that is in it
  };
  std::string from{}, to{};  // ids of boxes
  Meaning meaning = backward;
  std::vector<Line> lines{};
  bool conflict = false;
  bool into_text = false;    // leads to a text on its way, so it has no arrowhead
  bool only_narrow = false;  // of a `below`: needed only where the picture would else become too wide
};

struct Scene {
  Severity severity = Severity::clean;
  std::vector<Line> header;         // the verdict in words, what was scanned, why
  std::vector<Line> footer;         // what is left out, what helps
  std::string summary;              // header and footer as prose, for readers who do not see the picture
  std::vector<RegionFrame> frames;  // parents before children
  std::vector<Box> boxes;
  std::vector<Link> links;
};

// Widths in points, which are pixels at the picture's own size: of the whole picture, and of the text in it.
inline constexpr double page_width = 800, text_column = 764;

// Throws Error (usage) if there is no such focus.
Scene make_scene(const Report& report, const PictureOptions& options = {});

}  // namespace gradscan
