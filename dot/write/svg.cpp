#include "dot/write/svg.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "dot/layout/labels.h"
#include "dot/layout/sizes.h"
#include "dot/write/style.h"

namespace gradscan {
namespace {

constexpr double margin = (page_width - text_column) / 2;
constexpr double gap = 14;  // between header, graph, legend and footer
constexpr double sample_width = 34, legend_line = 19;
constexpr double corner_radius = 7;
constexpr const char* font = "Helvetica, Arial, 'Liberation Sans', sans-serif";

// To tenths of a pixel, without trailing zeros.
std::string decimal(double value) {
  std::string result = fmt::format("{:.1f}", std::round(value * 10) / 10);
  if (result.ends_with(".0")) result.resize(result.size() - 2);
  return result == "-0" ? "0" : result;
}

std::string attribute(const std::string& name, const std::string& value) {
  return fmt::format(" {}=\"{}\"", name, xml(value));
}

std::string attribute(const std::string& name, double value) {
  return attribute(name, decimal(value));
}

std::string at(Point point) {
  return fmt::format("{},{}", decimal(point.x), decimal(point.y));
}

// "3-11 14"
std::string ranges(const std::vector<int>& ascending) {
  std::vector<std::string> parts;
  for (std::size_t i = 0, end = 0; i < ascending.size(); i = end) {
    for (end = i + 1; end < ascending.size() && ascending[end] == ascending[end - 1] + 1;) ++end;
    parts.push_back(std::to_string(ascending[i]));
    if (end - i > 1) parts.back() += "-" + std::to_string(ascending[end - 1]);
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

// ---- Paint.

std::string fill(Tint tint) {
  return attribute("fill", std::string(colour(tint).light));
}

std::string stroke(Tint tint, double width, Stroke style) {
  std::string text = attribute("stroke", std::string(colour(tint).light)) + attribute("stroke-width", width);
  if (style == Stroke::dashed) text += attribute("stroke-dasharray", "6 3");
  if (style == Stroke::dotted) text += attribute("stroke-dasharray", "1.5 3.5") + attribute("stroke-linecap", "round");
  return text;
}

std::string fill_class(Tint tint) {
  return "fill-" + std::string(colour(tint).name);
}

std::string line_class(Tint tint) {
  return "line-" + std::string(colour(tint).name);
}

std::string filled(Tint tint) {
  return attribute("class", fill_class(tint)) + fill(tint);
}

std::string stroked(Tint tint, double width, Stroke style = Stroke::solid) {
  return attribute("class", line_class(tint)) + attribute("fill", "none") + stroke(tint, width, style);
}

// ---- Text.

enum class Anchor { start, middle };

std::string text(const Line& line, Setting setting, Tint tint, Anchor anchor, Point baseline) {
  std::string attributes = attribute("x", baseline.x) + attribute("y", baseline.y) + filled(tint);
  attributes += attribute("font-size", points(setting, line.style));
  if (anchor == Anchor::middle) attributes += attribute("text-anchor", "middle");
  if (line.style == Line::strong) attributes += attribute("font-weight", "bold");
  return fmt::format("<text{}>{}</text>\n", attributes, xml(line.text));
}

// Lines from `top` down; returns the markup and moves `top` below it.
std::string text(const std::vector<Line>& lines, Setting setting, Tint tint, Anchor anchor, double x, double& top) {
  std::string result;
  for (const Line& line : lines) {
    const double height = line_height(setting, line.style), size = points(setting, line.style);
    result += text(line, setting, tint, anchor, {x, top + (height - size) / 2 + 0.82 * size});
    top += height;
  }
  return result;
}

// ---- Boxes.

std::string painted(const BoxStyle& style) {
  return attribute("class", fmt::format("{} {}", fill_class(style.fill), line_class(style.line))) + fill(style.fill) +
         stroke(style.line, style.width, style.stroke);
}

std::string rectangle(const Area& area, const BoxStyle& style, double inset) {
  std::string attributes = attribute("x", area.left + inset) + attribute("y", area.top + inset);
  attributes += attribute("width", area.width - 2 * inset) + attribute("height", area.height - 2 * inset);
  if (style.rounded) attributes += attribute("rx", std::max(1.0, corner_radius - inset));
  return fmt::format("<rect{}{}/>\n", attributes, painted(style));
}

std::string note(const Area& area, const BoxStyle& style) {
  const double right = area.left + area.width, bottom = area.top + area.height;
  const std::string ear = at({right - corner_radius, area.top}), side = at({right, area.top + corner_radius});
  const std::string path =
      fmt::format("M{}L{}L{}L{}L{}ZM{}L{}L{}", at({area.left, area.top}), ear, side, at({right, bottom}),
                  at({area.left, bottom}), ear, at({right - corner_radius, area.top + corner_radius}), side);
  return fmt::format("<path{}{}/>\n", attribute("d", path), painted(style));
}

std::string outline(const Area& area, const BoxStyle& style) {
  if (style.width == 0) return "";
  if (style.folded) return note(area, style);
  return rectangle(area, style, 0) + (style.doubled ? rectangle(area, style, 3) : "");
}

const char* shape_class(Box::Shape shape) {
  const char* names[] = {"output", "stage", "checkpoint", "list", "fold", "search", "pass", "marking", "message", "tensor"};
  return names[shape];
}

std::string kind_class(Kind kind) {
  return kind == Kind::reentrant ? " reentrant" : kind == Kind::non_reentrant ? " non-reentrant" : " off";
}

const char* link_class(Link::Meaning meaning) {
  const char* names[] = {"backward", "firing", "silence", "mark", "stop", "walk", "same", "astray", "again", "below"};
  return names[meaning];
}

// ---- Links.

std::string head(const Route& route, const LinkStyle& style) {
  if (!route.tip || style.head == Head::bare) return "";
  const Point tip = *route.tip, base = route.curve.back();
  const double length = std::max(0.1, std::hypot(tip.x - base.x, tip.y - base.y));
  const Point along{(tip.x - base.x) / length, (tip.y - base.y) / length};
  const auto beside = [&](Point from, double distance) {
    return Point{from.x - along.y * distance, from.y + along.x * distance};
  };
  if (style.head == Head::arrow)
    return fmt::format("<polygon{}{}/>\n",
                       attribute("points", fmt::format("{} {} {}", at(tip), at(beside(base, 3.4)), at(beside(base, -3.4)))),
                       filled(style.line));
  if (style.head == Head::bar)
    return fmt::format("<path{}{}/>\n",
                       attribute("d", fmt::format("M{}L{}M{}L{}", at(base), at(tip), at(beside(tip, 6)), at(beside(tip, -6)))),
                       stroked(style.line, 2.5));
  const Point centre{tip.x - along.x * 4, tip.y - along.y * 4};
  return fmt::format("<circle{}{}{}{}/>\n", attribute("cx", centre.x), attribute("cy", centre.y), attribute("r", 3.2),
                     stroked(style.line, 1.6));
}

std::string draw(const Route& route, const LinkStyle& style) {
  std::string path = "M" + at(route.curve.front());
  for (std::size_t i = 1; i < route.curve.size(); ++i) path += (i % 3 == 1 ? "C" : " ") + at(route.curve[i]);
  return fmt::format("<path{}{}/>\n{}", attribute("d", path), stroked(style.line, style.width, style.stroke),
                     head(route, style));
}

Route moved(Route route, Point by) {
  const auto move = [&](Point& point) { point = {point.x + by.x, point.y + by.y}; };
  std::for_each(route.curve.begin(), route.curve.end(), move);
  if (route.tip) move(*route.tip);
  move(route.label);
  return route;
}

// ---- A sign before the title, so that colour is not the only clue to how bad it is.

std::string sign(Severity severity, Point centre) {
  const Tint tint = severity == Severity::clean ? Tint::green : Tint::red;
  const double x = centre.x, y = centre.y;
  std::string shape =
      fmt::format("<circle{}{}{}{}/>", attribute("cx", x), attribute("cy", y), attribute("r", 8.2), stroked(tint, 1.8));
  std::string in = fmt::format("M{}L{}M{}L{}", at({x - 3, y - 3}), at({x + 3, y + 3}), at({x - 3, y + 3}), at({x + 3, y - 3}));
  if (severity == Severity::clean) in = fmt::format("M{}L{}L{}", at({x - 3.8, y}), at({x - 1, y + 3}), at({x + 4, y - 3.2}));
  if (severity == Severity::silent || severity == Severity::unknown) {
    const std::string triangle = fmt::format("M{}L{}L{}Z", at({x, y - 8}), at({x + 9, y + 7}), at({x - 9, y + 7}));
    shape = fmt::format("<path{}{}{}/>", attribute("d", triangle), attribute("stroke-linejoin", "round"), stroked(tint, 1.8));
    in = fmt::format("M{}L{}M{}L{}", at({x, y - 3}), at({x, y + 1.5}), at({x, y + 4}), at({x, y + 4.4}));
  }
  return fmt::format("<g class=\"sign\">{}<path{}{}{}/></g>\n", shape, attribute("d", in), attribute("stroke-linecap", "round"),
                     stroked(tint, 2.2));
}

class Drawing {
 public:
  Drawing(const Scene& scene, const Layout& layout, const std::string& id) : scene_(scene), layout_(layout), id_(id) {
    width_ = std::max(page_width, layout.width + 2 * margin);
  }

  std::string draw() {
    double top = margin;
    std::string inside = header(top);
    top += gap;
    origin_ = {(width_ - layout_.width) / 2, top};
    inside += graph();
    top += layout_.height + 2 * gap;
    inside += legend_and_footer(top);
    return open(top + margin) + inside + "</svg>\n";
  }

 private:
  std::string id(const std::string& part) const { return attribute("id", id_ + "-" + part); }

  std::string open(double height) const {
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("id", id_) + attribute("class", "gradscan");
    text += attribute("width", width_) + attribute("height", height);
    text += attribute("viewBox", fmt::format("0 0 {} {}", decimal(width_), decimal(height))) + attribute("font-family", font);
    text += attribute("role", "img") + attribute("aria-labelledby", fmt::format("{0}-title {0}-desc", id_)) + ">\n";
    text += fmt::format("<title{}>{}</title>\n", id("title"), xml(title()));
    text += fmt::format("<desc{}>{}</desc>\n", id("desc"), xml(scene_.summary));
    text += fmt::format("<!-- Laid out by Graphviz {} -->\n<style>{}</style>\n", layout_.by, style_sheet());
    return fmt::format("{}<rect{}{}{}/>\n", text, attribute("width", width_), attribute("height", height), filled(Tint::paper));
  }

  std::string title() const {
    std::vector<std::string> lines;
    for (const Line& line : scene_.header)
      if (line.style == Line::strong) lines.push_back(line.text);
    return fmt::format("{}", fmt::join(lines, " "));
  }

  std::string header(double& top) const {
    std::string text = "<g class=\"header\">\n" + sign(scene_.severity, {margin + 9, top + 12});
    for (const Line& line : scene_.header) {
      const double indent = line.style == Line::strong ? 26 : 0;
      text += gradscan::text({line}, Setting::heading, Tint::ink, Anchor::start, margin + indent, top);
      if (line.style == Line::strong) top += 1;
    }
    return text + "</g>\n";
  }

  std::string graph() const {
    std::string text = "<g" + id("graph") + attribute("class", "graph") + ">\n";
    for (const RegionFrame& frame : scene_.frames) text += draw(frame);
    for (std::size_t i = 0; i < scene_.links.size(); ++i) text += draw(scene_.links[i], layout_.routes[i]);
    for (const Box& box : scene_.boxes) text += draw(box);
    return text + "</g>\n";
  }

  Area moved(const Area& area) const { return {area.left + origin_.x, area.top + origin_.y, area.width, area.height}; }

  std::string draw(const RegionFrame& frame) const {
    std::string text = "<g" + id(frame.id);
    text += attribute("class", std::string("frame") + kind_class(frame.kind) + (frame.conflict ? " conflict" : ""));
    text += attribute("data-region", std::to_string(frame.region)) + ">\n";
    return text + outline(moved(layout_.frames.at(frame.id)), style_of(frame)) + "</g>\n";
  }

  std::string draw(const Link& link, const Route& route) const {
    const LinkStyle shown = style_of(link);
    if (!shown.seen || route.curve.empty()) return "";
    const Route here = gradscan::moved(route, origin_);
    std::string text = "<g" + attribute("class", std::string("link ") + link_class(link.meaning));
    text += attribute("data-from", fmt::format("{}-{}", id_, link.from)) +
            attribute("data-to", fmt::format("{}-{}", id_, link.to)) + ">\n";
    text += gradscan::draw(here, shown);
    double top = here.label.y - size_of(link.lines, Setting::beside_link).height / 2;
    return text + gradscan::text(link.lines, Setting::beside_link, shown.text, Anchor::middle, here.label.x, top) + "</g>\n";
  }

  static std::string data(const Box& box) {
    std::string text;
    if (box.region != none) text += attribute("data-region", std::to_string(box.region));
    if (box.first_stage != none) text += attribute("data-stage", std::to_string(box.first_stage));
    if (box.last_stage != box.first_stage) text += attribute("data-last-stage", std::to_string(box.last_stage));
    return text;
  }

  std::string draw(const Box& box) const {
    const Area area = moved(layout_.boxes.at(box.id));
    std::string text =
        "<g" + id(box.id) +
        attribute("class", std::string("box ") + shape_class(box.shape) + (box.regions ? kind_class(*box.regions) : "") +
                               (box.conflict ? " conflict" : ""));
    text += data(box) + ">\n" + hover(box.whole) + outline(area, style_of(box));
    double top = area.top + (area.height - content_height(box)) / 2;
    for (const Row& row : box.rows) text += draw(row, area, style_of(box).text, top);
    text += gradscan::text(box.lines, Setting::body, style_of(box).text, Anchor::middle, area.centre().x, top);
    return text + "</g>\n";
  }

  static double content_height(const Box& box) {
    double height = size_of(box.lines, Setting::body).height;
    for (const Row& row : box.rows) height += size_of(row).height + row_gap;
    return height;
  }

  static std::string hover(const std::string& whole) {
    return whole.empty() ? "" : fmt::format("<title>{}</title>\n", xml(whole));
  }

  std::string draw(const Row& row, const Area& list, Tint tint, double& top) const {
    std::string text =
        row.next.empty() ? "" : "<a" + attribute("href", fmt::format("#{}-{}", id_, row.next)) + " tabindex=\"-1\">\n";
    text +=
        "<g" + id(row.id) + attribute("class", std::string("row") + (row.named ? " named" : "") + (row.focus ? " focus" : ""));
    text += attribute(row.parameters.size() == 1 ? "data-parameter" : "data-parameters", ranges(row.parameters)) + ">\n";
    text += hover(row.whole);
    const Size size = size_of(row);
    const double x = list.centre().x;
    text += outline({x - size.width / 2, top, size.width, size.height}, style_of(row));
    double line_top = top + (size.height - size_of(row.lines, Setting::body).height) / 2;
    text += gradscan::text(row.lines, Setting::body, tint, Anchor::middle, x, line_top);
    top += size.height + row_gap;
    return text + "</g>\n" + (row.next.empty() ? "" : "</a>\n");
  }

  std::string legend_and_footer(double& top) const {
    const auto rows = legend(scene_);
    const double column = text_column / 2;
    std::string text = "<g class=\"legend\">\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      text += draw(rows[i], {margin + (i % 2 == 0 ? 0 : column), top});
      if (i % 2 == 1 || i + 1 == rows.size()) top += legend_line;
    }
    top += gap / 2;
    text += "</g>\n<g class=\"footer\">\n";
    for (const Line& line : scene_.footer) {
      const Tint tint = line.style == Line::small ? Tint::faint : Tint::ink;
      if (line.style == Line::strong) top += gap / 2;
      text += gradscan::text({line}, Setting::body, tint, Anchor::start, margin, top);
    }
    return text + "</g>\n";
  }

  static std::string draw(const LegendRow& row, Point corner) {
    const double middle = corner.y + legend_line / 2;
    std::string text;
    if (row.box) text += outline({corner.x + 1, middle - 7, sample_width - 2, 14}, *row.box);
    if (row.link) {
      const double end = corner.x + sample_width, stop = row.link->head == Head::bare ? end : end - 8;
      const Route route{.curve = {{corner.x, middle}, {corner.x, middle}, {stop, middle}, {stop, middle}},
                        .tip = Point{end, middle}};
      text += gradscan::draw(route, *row.link);
    }
    const Line line{row.meaning, Line::small};
    return text + gradscan::text(line, Setting::body, Tint::faint, Anchor::start, {corner.x + sample_width + 9, middle + 4});
  }

  const Scene& scene_;
  const Layout& layout_;
  std::string id_;
  double width_ = 0;
  Point origin_;
};

}  // namespace

std::string draw_svg(const Scene& scene, const Layout& layout, const std::string& id) {
  return Drawing(scene, layout, id).draw();
}

}  // namespace gradscan
