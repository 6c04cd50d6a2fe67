#include "dot/scene/scene_draft.h"

#include <fmt/format.h>

#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "analyzer/text/width.h"
#include "dot/layout/labels.h"

namespace gradscan {
namespace {

constexpr double usual_width = 0.75;  // of a bold letter, relative to the font size; a W is wider

}  // namespace

std::string short_text(const std::string& text, std::size_t columns) {
  const std::string all = legible(text);
  std::string shown = elided(all, columns);
  const double width = static_cast<double>(columns) * usual_width;
  for (std::size_t fewer = columns - 1; fewer > 1 && text_width(shown, 1, true) > width; --fewer) shown = elided(all, fewer);
  return shown;
}

std::string range(const std::set<int>& values, const std::string& noun) {
  if (values.empty()) return "";
  if (values.size() == 1) return count(*values.begin(), noun);
  return fmt::format("{} to {}", *values.begin(), count(*values.rbegin(), noun));
}

std::string fate(const Report& report, const std::vector<int>& parameters) {
  std::set<int> firings, marks;
  for (const int p : parameters) {
    firings.insert(static_cast<int>(report.parameters[p].heard.size()));
    marks.insert(marks_asked(report, report.parameters[p]));
  }
  return fmt::format("{}, {}", range(firings, "firing"), range(marks, "ready mark"));
}

}  // namespace gradscan
