#include "dot/layout/graph.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "dot/layout/ids.h"
#include "dot/layout/labels.h"
#include "dot/layout/sizes.h"
#include "dot/write/style.h"

namespace gradscan {
namespace {

constexpr auto font = "Helvetica,Arial,sans-serif";
constexpr double points_per_inch = 72;

using Attributes = std::map<std::string, std::string>;

// ---- cgraph takes pointers to char, but does not write to them.

char* mutable_text(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

void declare(Agraph_t* root, void* object, const std::string& key) {
  static char nothing[] = "";
  if (!agattr(root, AGTYPE(object), mutable_text(key), nullptr)) agattr(root, AGTYPE(object), mutable_text(key), nothing);
}

void set(Agraph_t* root, void* object, const Attributes& attributes) {
  for (const auto& [key, value] : attributes) {
    declare(root, object, key);
    agset(object, mutable_text(key), mutable_text(value));
  }
}

void set_label(Agraph_t* root, void* object, const std::string& markup) {
  declare(root, object, "label");
  agset(object, mutable_text("label"), agstrdup_html(root, mutable_text(markup)));
}

// To hundredths, so that no digit depends on the machine's arithmetic.
std::string decimal(double value) {
  return fmt::format("{:.2f}", value);
}

// ---- The skeleton that both kinds of graph share.

class Skeleton {
 public:
  Skeleton(const Scene& scene, bool narrow) {
    graph_.root = agopen(mutable_text("gradscan"), Agdirected, dense_ids());
    set(graph_.root, graph_.root, {{"rankdir", "TB"}, {"nodesep", "0.22"}, {"ranksep", "0.36"}, {"fontname", font}});
    for (const RegionFrame& frame : scene.frames) add(frame);
    for (const Box& box : scene.boxes) {
      Agraph_t* holder = box.frame.empty() ? graph_.root : graph_.frames.at(box.frame);
      graph_.boxes[box.id] = agnode(holder, mutable_text(box.id), 1);
    }
    for (const Link& link : scene.links) graph_.links.push_back(link.only_narrow && !narrow ? nullptr : add(link));
  }

  SceneGraph take() { return std::move(graph_); }

 private:
  void add(const RegionFrame& frame) {
    Agraph_t* holder = frame.parent.empty() ? graph_.root : graph_.frames.at(frame.parent);
    Agraph_t* cluster = agsubg(holder, mutable_text("cluster_" + frame.id), 1);
    graph_.frames[frame.id] = cluster;
    set(graph_.root, cluster, {{"label", ""}, {"margin", "12"}});
  }

  Agedge_t* add(const Link& link) {
    Agnode_t *from = graph_.boxes.at(link.from), *to = graph_.boxes.at(link.to);
    Agedge_t* edge = agedge(graph_.root, from, to, mutable_text("link" + std::to_string(graph_.links.size())), 1);
    const bool fires = link.meaning == Link::firing || link.meaning == Link::silence;
    const char* weight = link.meaning == Link::below ? "100" : fires ? "100" : link.meaning == Link::backward ? "50" : "1";
    set(graph_.root, edge, {{"weight", weight}, {"arrowsize", "0.8"}});
    if (link.meaning == Link::same) set(graph_.root, edge, {{"constraint", link.into_text ? "true" : "false"}});
    return edge;
  }

  SceneGraph graph_;
};

std::string table(const std::string& attributes, const std::string& rows) {
  return fmt::format("<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" {}>{}</TABLE>", attributes, rows);
}

// ---- For layout.

std::string empty_label(const Size& size) {
  return table("CELLPADDING=\"0\"",
               fmt::format("<TR><TD WIDTH=\"{:.0f}\" HEIGHT=\"{:.0f}\"></TD></TR>", size.width + 4, size.height));
}

// ---- For people.

std::string text_html(const Line& line, Setting setting, Tint tint) {
  const std::string text = fmt::format("<FONT POINT-SIZE=\"{:.0f}\" COLOR=\"{}\">{}</FONT>", points(setting, line.style),
                                       colour(tint).light, html(line.text));
  return line.style == Line::strong ? fmt::format("<B>{}</B>", text) : text;
}

std::string rows_html(const std::vector<Line>& lines, Setting setting, Tint tint, const std::string& align) {
  const double width = size_of(lines, setting).width;
  std::string rows;
  for (const Line& line : lines)
    rows += fmt::format("<TR><TD WIDTH=\"{:.0f}\"{}>{}</TD></TR>", width, align, text_html(line, setting, tint));
  return rows;
}

std::string label(const std::vector<Line>& lines, Setting setting, Tint tint, const std::string& align = "") {
  return table("CELLPADDING=\"1\"", lines.empty() ? "<TR><TD></TD></TR>" : rows_html(lines, setting, tint, align));
}

std::string label(const Box& box) {
  const Tint tint = style_of(box).text;
  std::string rows;
  for (const Row& row : box.rows) {
    const BoxStyle style = style_of(row);
    const std::string border =
        style.width > 0 ? fmt::format(" BORDER=\"2\" STYLE=\"rounded\" COLOR=\"{}\"", colour(style.line).light) : "";
    rows += fmt::format("<TR><TD{}>{}</TD></TR>", border, label(row.lines, Setting::body, tint));
  }
  rows += rows_html(box.lines, Setting::body, tint, "");
  return table("CELLPADDING=\"1\"", rows.empty() ? "<TR><TD></TD></TR>" : rows);
}

std::string stroke_in_words(Stroke stroke) {
  return stroke == Stroke::solid ? "solid" : stroke == Stroke::dashed ? "dashed" : "dotted";
}

Attributes attributes(const BoxStyle& style) {
  if (style.width == 0) return {{"shape", "plain"}};
  const std::string stroke = style.stroke == Stroke::solid ? "" : "," + stroke_in_words(style.stroke);
  return {{"shape", style.folded ? "note" : "box"},
          {"style", fmt::format("filled{}{}", style.rounded ? ",rounded" : "", stroke)},
          {"color", std::string(colour(style.line).light)},
          {"fillcolor", std::string(colour(style.fill).light)},
          {"penwidth", decimal(style.width)},
          {"peripheries", style.doubled ? "2" : "1"},
          {"margin", "0.12,0.06"}};
}

Attributes attributes(const LinkStyle& style) {
  if (!style.seen) return {{"style", "invis"}};
  const char* heads[] = {"normal", "tee", "odot", "none"};
  return {{"style", stroke_in_words(style.stroke)},
          {"color", std::string(colour(style.line).light)},
          {"penwidth", decimal(style.width)},
          {"arrowhead", heads[static_cast<int>(style.head)]}};
}

std::vector<Line> below_the_graph(const Scene& scene) {
  std::vector<Line> lines;
  for (const LegendRow& row : legend(scene)) lines.push_back({fmt::format("{}: {}", row.looks_like, row.meaning), Line::small});
  lines.insert(lines.end(), scene.footer.begin(), scene.footer.end());
  return lines;
}

void dress(const SceneGraph& graph, const Scene& scene) {
  Agraph_t* root = graph.root;
  for (const RegionFrame& frame : scene.frames) {
    set(root, graph.frames.at(frame.id), attributes(style_of(frame)));
    set(root, graph.frames.at(frame.id), {{"id", frame.id}});
  }
  for (const Box& box : scene.boxes) {
    Agnode_t* node = graph.boxes.at(box.id);
    set(root, node, attributes(style_of(box)));
    set(root, node, {{"fontname", font}, {"id", box.id}});
    set_label(root, node, label(box));
  }
  for (std::size_t i = 0; i < scene.links.size(); ++i) {
    if (!graph.links[i]) continue;
    const LinkStyle dressed = style_of(scene.links[i]);
    set(root, graph.links[i], attributes(dressed));
    set(root, graph.links[i], {{"fontname", font}});
    if (!scene.links[i].lines.empty())
      set_label(root, graph.links[i], label(scene.links[i].lines, Setting::beside_link, dressed.text));
  }
}

// The header above and the legend and footer below are labels: of the graph, and of a cluster around everything.
void add_words(const SceneGraph& graph, const Scene& scene) {
  const std::string left = " ALIGN=\"LEFT\"";
  set(graph.root, graph.root, {{"bgcolor", std::string(colour(Tint::paper).light)}, {"labelloc", "t"}, {"labeljust", "l"}});
  set_label(graph.root, graph.root, label(scene.header, Setting::heading, Tint::ink, left));
  Agraph_t* words = agsubg(graph.root, mutable_text("cluster_words"), 1);
  for (const auto& [id, node] : graph.boxes) agsubnode(words, node, 1);
  set(graph.root, words, {{"peripheries", "0"}, {"labelloc", "b"}, {"labeljust", "l"}});
  set_label(graph.root, words, label(below_the_graph(scene), Setting::body, Tint::faint, left));
}

}  // namespace

SceneGraph make_graph(const Scene& scene, bool narrow) {
  SceneGraph graph = Skeleton(scene, narrow).take();
  for (const Box& box : scene.boxes) {
    const Size size = size_of(box);
    set(graph.root, graph.boxes.at(box.id),
        {{"shape", "box"},
         {"fixedsize", "true"},
         {"label", ""},
         {"width", decimal(size.width / points_per_inch)},
         {"height", decimal(size.height / points_per_inch)}});
  }
  for (std::size_t i = 0; i < scene.links.size(); ++i) {
    if (!graph.links[i]) continue;
    const LinkStyle shown = style_of(scene.links[i]);
    set(graph.root, graph.links[i], {{"arrowhead", shown.head == Head::bare ? "none" : "normal"}});
    if (!shown.seen) set(graph.root, graph.links[i], {{"style", "invis"}});
    if (!scene.links[i].lines.empty())
      set_label(graph.root, graph.links[i], empty_label(size_of(scene.links[i].lines, Setting::beside_link)));
  }
  return graph;
}

std::string write_dot(const Scene& scene) {
  const SceneGraph graph = Skeleton(scene, false).take();
  dress(graph, scene);
  add_words(graph, scene);
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  agwrite(graph.root, stream);
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

}  // namespace gradscan
