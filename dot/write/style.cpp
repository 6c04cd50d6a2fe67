#include "dot/write/style.h"

#include <algorithm>

namespace gradscan {
namespace {

BoxStyle region_style(Kind kind, bool conflict) {
  if (kind == Kind::off) return {.fill = Tint::paper, .stroke = Stroke::dotted, .width = 1.6, .rounded = true};
  if (kind == Kind::non_reentrant)
    return {.fill = Tint::blue_wash, .line = conflict ? Tint::red : Tint::blue, .width = 1.6, .rounded = true};
  if (!conflict) return {.fill = Tint::paper, .stroke = Stroke::dashed, .width = 1.6, .rounded = true};
  return {.fill = Tint::red_wash, .line = Tint::red, .stroke = Stroke::dashed, .width = 1.6, .rounded = true};
}

BoxStyle fold_style(const Box& box) {
  BoxStyle style = region_style(box.regions.value_or(Kind::off), box.conflict);
  style.fill = box.conflict ? Tint::red_fill : box.regions == Kind::non_reentrant ? Tint::blue_fill : Tint::calm;
  if (box.conflict) style.line = Tint::red;
  if (!box.regions) style.stroke = Stroke::solid;
  style.width = 1.2;
  style.doubled = box.folds > 1;
  return style;
}

BoxStyle checkpoint_style(const Box& box) {
  if (box.regions == Kind::reentrant && box.conflict) return {.fill = Tint::red_fill, .line = Tint::red, .width = 1.2};
  if (box.regions == Kind::reentrant) return {};
  return {.fill = Tint::blue_fill, .line = Tint::blue, .width = 1.2};
}

bool has_box(const Scene& scene, bool (*test)(const Box&)) {
  return std::any_of(scene.boxes.begin(), scene.boxes.end(), test);
}

LegendRow box_row(const Box& sample, const std::string& looks_like, const std::string& meaning) {
  return {.box = style_of(sample), .looks_like = looks_like, .meaning = meaning};
}

void add_links(std::vector<LegendRow>& rows, const Scene& scene) {
  struct Entry {
    Link::Meaning meaning;
    bool conflict;
    const char *looks_like, *words;
  };
  const Entry entries[] = {
      {Link::backward, false, "solid grey arrow", "backward, from stage to stage"},
      {Link::firing, true, "solid red arrow", "backward fires hooks of parameters in conflict"},
      {Link::firing, false, "solid dark arrow", "backward reaches a parameter: its hook fires"},
      {Link::silence, true, "dotted red line with a ring", "a gradient that never arrives"},
      {Link::mark, true, "dashed amber arrow", "DDP's search marks a parameter ready"},
      {Link::stop, true, "dashed amber line with a bar", "DDP's search stops here"},
      {Link::same, false, "dotted grey line", "the same parameter, used again"},
      {Link::astray, true, "dashed red arrow", "a backward that leaves its region"},
      {Link::again, true, "dotted grey arrow", "another backward on the same path"},
  };
  for (const Entry& entry : entries) {
    const auto is_one = [&](const Link& link) {
      return link.meaning == entry.meaning && (entry.meaning != Link::firing || link.conflict == entry.conflict);
    };
    if (std::none_of(scene.links.begin(), scene.links.end(), is_one)) continue;
    const Link sample{.meaning = entry.meaning, .conflict = entry.conflict};
    rows.push_back({.link = style_of(sample), .looks_like = entry.looks_like, .meaning = entry.words});
  }
}

void add_boxes(std::vector<LegendRow>& rows, const Scene& scene) {
  const auto has_row = [&](bool Row::*is) {
    return std::any_of(scene.boxes.begin(), scene.boxes.end(), [&](const Box& box) {
      return std::any_of(box.rows.begin(), box.rows.end(), [&](const Row& row) { return row.*is; });
    });
  };
  if (has_row(&Row::named))
    rows.push_back(
        {.box = style_of(Row{.named = true}), .looks_like = "thick outline", .meaning = "the parameter in the title"});
  if (has_row(&Row::focus))
    rows.push_back({.box = style_of(Row{.focus = true}), .looks_like = "dark outline", .meaning = "the parameter in focus"});
  const auto loud = [](const Box& box) { return box.regions == Kind::reentrant && box.conflict; };
  const auto reentrant = [](const Box& box) { return box.regions == Kind::reentrant; };
  if (has_box(scene, reentrant)) {
    const RegionFrame sample{.kind = Kind::reentrant, .conflict = has_box(scene, loud)};
    rows.push_back(
        {.box = style_of(sample), .looks_like = "dashed outline", .meaning = "reentrant region: has a backward of its own"});
  }
  if (has_box(scene, [](const Box& box) { return box.regions == Kind::non_reentrant; }))
    rows.push_back(box_row({.shape = Box::fold, .regions = Kind::non_reentrant}, "blue outline",
                           "non-reentrant region: part of the outer graph"));
  if (has_box(scene, [](const Box& box) { return box.folds > 1; }))
    rows.push_back(box_row({.shape = Box::fold, .folds = 2}, "double outline", "several stages, folded"));
  if (has_box(scene, [](const Box& box) { return box.shape == Box::stage; }))
    rows.push_back(box_row({.shape = Box::stage}, "grey box", "outside all regions"));
}

}  // namespace

BoxStyle style_of(const Box& box) {
  switch (box.shape) {
    case Box::output:
      return {.width = 0};
    case Box::pass:
      return {.text = box.conflict ? Tint::red : Tint::faint, .width = 0};
    case Box::marking:
      return {.text = Tint::amber, .width = 0};
    case Box::search:
      return {.fill = Tint::amber_fill, .line = Tint::amber, .folded = true};
    case Box::message:
      return {.fill = Tint::red_fill, .line = Tint::red, .folded = true};
    case Box::tensor:
      return {.fill = Tint::paper, .line = box.conflict ? Tint::red : Tint::line, .stroke = Stroke::dotted, .width = 1.6};
    case Box::checkpoint:
      return checkpoint_style(box);
    case Box::list:
      return {.fill = Tint::paper, .line = box.conflict ? Tint::red : Tint::line, .rounded = true};
    case Box::fold:
      return fold_style(box);
    case Box::stage:
      break;
  }
  if (box.conflict) return {.fill = Tint::red_fill, .line = Tint::red};
  return {};
}

BoxStyle style_of(const RegionFrame& frame) {
  return region_style(frame.kind, frame.conflict);
}

LinkStyle style_of(const Link& link) {
  const Head head = link.into_text ? Head::bare : Head::arrow;
  switch (link.meaning) {
    case Link::firing:
      if (!link.conflict) return {.line = Tint::ink, .text = Tint::ink, .width = 1.8, .head = head};
      return {.line = Tint::red, .text = Tint::red, .width = 1.8, .head = head};
    case Link::silence:
      return {.line = Tint::red,
              .text = Tint::red,
              .stroke = Stroke::dotted,
              .width = 1.8,
              .head = link.into_text ? Head::bare : Head::ring};
    case Link::mark:
      return {.line = Tint::amber, .text = Tint::amber, .stroke = Stroke::dashed, .width = 1.6, .head = head};
    case Link::stop:
      return {.line = Tint::amber, .text = Tint::amber, .stroke = Stroke::dashed, .width = 1.6, .head = Head::bar};
    case Link::walk:
      return {.line = Tint::amber, .text = Tint::amber, .stroke = Stroke::dashed, .width = 1.6, .head = Head::bare};
    case Link::same:
      return {.stroke = Stroke::dotted, .head = Head::bare};
    case Link::astray:
      return {.line = Tint::red, .text = Tint::red, .stroke = Stroke::dashed, .width = 1.8, .head = head};
    case Link::again:
      return {.stroke = Stroke::dotted, .head = head};
    case Link::below:
      return {.head = Head::bare, .seen = false};
    case Link::backward:
      break;
  }
  return {.head = head};
}

BoxStyle style_of(const Row& row) {
  if (row.named) return {.fill = Tint::paper, .line = Tint::red, .width = 3, .rounded = true};
  return {.fill = Tint::paper, .line = Tint::ink, .width = row.focus ? 2.0 : 0.0, .rounded = true};
}

std::vector<LegendRow> legend(const Scene& scene) {
  std::vector<LegendRow> rows;
  add_links(rows, scene);
  add_boxes(rows, scene);
  return rows;
}

}  // namespace gradscan
