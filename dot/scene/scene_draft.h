// A Scene under construction, with what the functions that add to it need to know about each other's boxes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "analyzer/diagnose/causes.h"
#include "dot/scene/scene.h"
#include "dot/select/selection.h"

namespace gradscan {

struct SceneDraft {
  const Report& report;
  const Selection& selection;
  bool whole = false;  // list all parameters in conflict by name, as far as lists go
  RegionNames names;
  Scene scene{};
  std::map<int, std::string> entry{};  // for each stage, the box that receives its gradients
  std::set<int> drawn_regions{};       // with a frame of their own

  struct DrawnUse {
    std::string list, row;
  };
  std::map<int, std::vector<DrawnUse>> uses{};          // for each parameter listed by name, in the order of firing
  std::map<int, std::vector<std::string>> lists_in{};   // for each stage, its lists
  std::map<int, std::vector<std::string>> unseen_in{};  // ... those with parameters that DDP's search does not find

  const Stage& stage(int i) const { return selection.stages[i]; }
  bool unreached(int i) const { return selection.last_is_unreached && i + 1 == static_cast<int>(selection.stages.size()); }
  const std::string& call_name(int i) const { return stage(i).region == none ? stage(i).label : names[stage(i).region]; }
};

// Legible, at most this many characters, or fewer if they are wide.
std::string short_text(const std::string& text, std::size_t columns = 34);

// "1 firing, 2 ready marks" or "1 to 2 firings, 2 ready marks": in the requested setup.
std::string fate(const Report& report, const std::vector<int>& parameters);
std::string range(const std::set<int>& values, const std::string& noun);

// Where the last mark falls: DDP ignores firings after it.
inline constexpr const char* finish_in_words = "DDP finishes with the last mark here";

// Draws one or several stages as one box (folds.cpp).
void add_fold(SceneDraft& draft, const Segment& segment);

// Draws a stage with its regions and its parameters in conflict (full_stages.cpp).
void add_full(SceneDraft& draft, int stage);

// Draws the regions from the stage's own down to `region`. Returns the node whose backward pass fires what is inside.
std::string add_nesting(SceneDraft& draft, int stage, int region);

// Draws links between boxes: backward itself, DDP's search, other uses of a parameter (flow.cpp).
void add_source(SceneDraft& draft);  // boxes where backward starts; call it first
void add_flow(SceneDraft& draft);
void add_search(SceneDraft& draft);
void add_further_uses(SceneDraft& draft);

// Draws backward passes that leave their region, and torch's message where they meet (escaping_backwards.cpp).
void add_message(SceneDraft& draft);
void add_escaping_backwards(SceneDraft& draft);

}  // namespace gradscan
