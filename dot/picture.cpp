#include "dot/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "dot/ids.h"
#include "dot/labels.h"
#include "dot/layout.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr auto font = "Helvetica,Arial,sans-serif";
constexpr auto ink = "#1f2328", faint = "#57606a";
constexpr auto red = "#c62828", pale_red = "#fdecea", amber = "#9a6700", pale_amber = "#fff4d1";
constexpr auto grey = "#8c959f", pale_grey = "#f6f8fa", blue = "#0b5cad", pale_blue = "#eaf3fd";

using Attributes = std::map<std::string, std::string>;

// ---- Text.

struct Sizes {
  double strong, plain, small;  // points
};
constexpr Sizes body{13, 12, 11}, heading{16, 13, 12}, beside_link{11, 11, 11};

double points(const Sizes& sizes, Line::Style style) {
  return style == Line::strong ? sizes.strong : style == Line::plain ? sizes.plain : sizes.small;
}

double width_of(const std::vector<Line>& lines, const Sizes& sizes) {
  double width = 0;
  for (const Line& line : lines) {
    width = std::max(width, text_width(line.text, points(sizes, line.style), line.style == Line::strong));
  }
  return std::ceil(width);
}

std::string text_html(const Line& line, const Sizes& sizes, const std::string& colour) {
  const std::string size = std::to_string(static_cast<int>(points(sizes, line.style)));
  const std::string text = "<FONT POINT-SIZE=\"" + size + "\" COLOR=\"" + colour + "\">" + html(line.text) + "</FONT>";
  return line.style == Line::strong ? "<B>" + text + "</B>" : text;
}

enum class Align { centre, left };

std::string table(const std::string& attributes, const std::string& rows) {
  return "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" " + attributes + ">" + rows + "</TABLE>";
}

// Graphviz centres bold text as if it were as narrow as plain text: spaces behind it make up for the difference.
std::string counterweight(const std::string& text) {
  std::string spaces;
  for (std::size_t i = 0; i < text.size() / 11; ++i) spaces += "&#160;";
  return spaces;
}

std::string label(const std::vector<Line>& lines, const Sizes& sizes, const std::string& colour, Align align = Align::centre) {
  const std::string width = std::to_string(static_cast<int>(width_of(lines, sizes)));
  const std::string cell = "<TD WIDTH=\"" + width + "\"" + (align == Align::left ? " ALIGN=\"LEFT\">" : ">");
  std::string rows;
  for (const Line& line : lines) {
    const bool balanced = align == Align::centre && line.style == Line::strong;
    rows += "<TR>" + cell + text_html(line, sizes, colour) + (balanced ? counterweight(line.text) : "") + "</TD></TR>";
  }
  return table("CELLPADDING=\"1\"", rows.empty() ? "<TR><TD></TD></TR>" : rows);
}

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

// ---- Looks.

Attributes region_look(Kind kind, bool conflict) {
  if (kind == Kind::off) return {{"style", "rounded,dotted,filled"}, {"color", grey}, {"fillcolor", "white"}};
  if (kind == Kind::non_reentrant) return {{"style", "rounded,filled"}, {"color", blue}, {"fillcolor", "#f8fbff"}};
  return {{"style", "rounded,dashed,filled"}, {"color", conflict ? red : grey}, {"fillcolor", conflict ? "#fffafa" : "white"}};
}

Attributes fold_look(const Box& box) {
  Attributes look = region_look(box.regions.value_or(Kind::off), box.conflict);
  look["fillcolor"] = box.conflict ? pale_red : box.regions == Kind::non_reentrant ? pale_blue : pale_grey;
  if (box.conflict) look["color"] = red;
  look["peripheries"] = box.folds > 1 ? "2" : "1";
  return look;
}

Attributes box_look(const Box& box) {
  switch (box.shape) {
    case Box::output:
    case Box::pass:
    case Box::marking:
      return {{"shape", "plain"}};
    case Box::search:
      return {{"shape", "note"}, {"style", "filled"}, {"color", amber}, {"fillcolor", pale_amber}};
    case Box::message:
      return {{"shape", "note"}, {"style", "filled"}, {"color", red}, {"fillcolor", pale_red}};
    case Box::checkpoint:
      if (box.regions == Kind::reentrant) return {{"style", "filled"}, {"color", red}, {"fillcolor", pale_red}};
      return {{"style", "filled"}, {"color", blue}, {"fillcolor", pale_blue}};
    case Box::parameter:
      return {{"style", "rounded,filled"}, {"color", red}, {"fillcolor", "white"}, {"penwidth", box.named ? "3" : "1"}};
    case Box::fold:
      return fold_look(box);
    case Box::stage:
      break;
  }
  return {{"style", "filled"}, {"color", box.conflict ? red : grey}, {"fillcolor", box.conflict ? pale_red : pale_grey}};
}

struct LinkLook {
  Attributes attributes;
  std::string text_colour;
};

LinkLook link_look(Link::Meaning meaning) {
  switch (meaning) {
    case Link::firing:
      return {{{"color", red}, {"penwidth", "1.8"}}, red};
    case Link::silence:
      return {{{"color", red}, {"style", "dotted"}, {"arrowhead", "odot"}, {"penwidth", "1.8"}}, red};
    case Link::mark:
      return {{{"color", amber}, {"style", "dashed"}, {"penwidth", "1.6"}}, amber};
    case Link::stop:
      return {{{"color", amber}, {"style", "dashed"}, {"arrowhead", "tee"}, {"penwidth", "1.6"}}, amber};
    case Link::walk:
      return {{{"color", amber}, {"style", "dashed"}, {"arrowhead", "none"}, {"penwidth", "1.6"}}, amber};
    case Link::same:
      return {{{"color", faint}, {"style", "dotted"}, {"dir", "none"}}, faint};
    case Link::below:
      return {{{"style", "invis"}, {"weight", "50"}}, faint};
    case Link::backward:
      break;
  }
  return {{{"color", grey}, {"penwidth", "1.4"}, {"weight", "5"}}, faint};
}

// ---- The legend: one row for every look that the picture has.

struct LegendRow {
  bool shown;
  std::string sample, meaning;
};

std::string line_sample(const char* colour, const char* style) {
  return table("CELLPADDING=\"0\"", std::string("<TR><TD WIDTH=\"34\" HEIGHT=\"7\" BORDER=\"2\" SIDES=\"B\" COLOR=\"") +
                                        colour + "\" STYLE=\"" + style + "\"></TD></TR><TR><TD HEIGHT=\"7\"></TD></TR>");
}

// A dashed line that ends at a bar.
std::string stop_sample(const char* colour) {
  const std::string look = std::string("COLOR=\"") + colour + "\"";
  return table("CELLPADDING=\"0\"", "<TR><TD WIDTH=\"30\" HEIGHT=\"7\" BORDER=\"2\" SIDES=\"B\" STYLE=\"dashed\" " + look +
                                        "></TD><TD ROWSPAN=\"2\" WIDTH=\"4\" HEIGHT=\"14\" BORDER=\"3\" SIDES=\"L\" " + look +
                                        "></TD></TR><TR><TD HEIGHT=\"7\"></TD></TR>");
}

std::string box_sample(const char* colour, const char* fill, const char* style, int border = 1) {
  return table("CELLPADDING=\"0\"", std::string("<TR><TD WIDTH=\"30\" HEIGHT=\"13\" BORDER=\"") + std::to_string(border) +
                                        "\" COLOR=\"" + colour + "\" BGCOLOR=\"" + fill + "\" STYLE=\"" + style +
                                        "\"></TD></TR>");
}

std::string double_sample() {
  return std::string("<TABLE BORDER=\"1\" CELLBORDER=\"1\" CELLSPACING=\"2\" CELLPADDING=\"0\" COLOR=\"") + grey +
         "\"><TR><TD WIDTH=\"26\"" + " HEIGHT=\"9\" BGCOLOR=\"" + pale_grey + "\"></TD></TR></TABLE>";
}

std::vector<LegendRow> legend_rows(const Scene& scene) {
  const auto box = [&](auto test) { return std::any_of(scene.boxes.begin(), scene.boxes.end(), test); };
  const auto link = [&](Link::Meaning meaning) {
    return std::any_of(scene.links.begin(), scene.links.end(), [&](auto& l) { return l.meaning == meaning; });
  };
  const auto region = [&](Kind kind) { return box([&](const Box& b) { return b.regions == kind; }); };
  return {
      {link(Link::backward), line_sample(grey, "solid"), "backward goes on from stage to stage"},
      {link(Link::firing), line_sample(red, "solid"), "backward reaches a parameter: its hook fires"},
      {link(Link::silence), line_sample(red, "dotted"), "a gradient that never comes"},
      {link(Link::mark), line_sample(amber, "dashed"), "DDP's search marks a parameter ready"},
      {link(Link::stop), stop_sample(amber), "DDP's search stops here"},
      {link(Link::same), line_sample(faint, "dotted"), "the same parameter, used again"},
      {box([](auto& b) { return b.named; }), box_sample(red, "white", "rounded", 3), "the parameter of the title"},
      {region(Kind::reentrant), box_sample(red, "#fffafa", "dashed"), "reentrant region: own backward pass, hidden inside"},
      {region(Kind::non_reentrant), box_sample(blue, pale_blue, "solid"), "non-reentrant region: part of the outer graph"},
      {box([](auto& b) { return b.folds > 1; }), double_sample(), "double outline: several alike, folded"},
      {box([](auto& b) { return b.shape == Box::stage; }), box_sample(grey, pale_grey, "solid"), "outside of all regions"},
  };
}

std::string legend_cell(const LegendRow& row) {
  const Line line{row.meaning, Line::small};
  const std::string width = std::to_string(static_cast<int>(width_of({line}, body)));
  return "<TD WIDTH=\"44\">" + row.sample + "</TD><TD WIDTH=\"" + width + "\" ALIGN=\"LEFT\">" + text_html(line, body, faint) +
         "</TD>";
}

std::string legend(const Scene& scene) {
  auto rows = legend_rows(scene);
  std::erase_if(rows, [](const LegendRow& row) { return !row.shown; });
  std::string cells;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    cells += (i % 2 == 0 ? "<TR>" : "") + legend_cell(rows[i]);
    if (i % 2 == 1 || i + 1 == rows.size()) cells += i % 2 == 0 ? "<TD></TD><TD></TD></TR>" : "</TR>";
  }
  std::string all = rows.empty() ? "" : "<TR><TD ALIGN=\"LEFT\">" + table("CELLPADDING=\"3\"", cells) + "</TD></TR>";
  if (!scene.footer.empty()) all += "<TR><TD ALIGN=\"LEFT\">" + label(scene.footer, body, faint, Align::left) + "</TD></TR>";
  return table("CELLPADDING=\"4\"", all.empty() ? "<TR><TD></TD></TR>" : all);
}

// ---- The graph.

class GraphMaker {
 public:
  GraphMaker(const Scene& scene, Agraph_t* root) : scene_(scene), root_(root) {}

  void make() {
    set(root_, root_,
        {{"rankdir", "TB"},
         {"nodesep", "0.22"},
         {"ranksep", "0.42"},
         {"fontname", font},
         {"bgcolor", "white"},
         {"labelloc", "t"},
         {"labeljust", "l"},
         {"pad", "0.2"},
         {"id", "gradscan"}});
    set_label(root_, root_, label(scene_.header, heading, ink, Align::left));
    picture_ = agsubg(root_, mutable_text("cluster_picture"), 1);
    set(root_, picture_, {{"peripheries", "0"}, {"labelloc", "b"}, {"labeljust", "l"}, {"margin", "10"}, {"id", "picture"}});
    set_label(root_, picture_, legend(scene_));
    for (const RegionFrame& frame : scene_.frames) add(frame);
    for (const Box& box : scene_.boxes) add(box);
    for (const Link& link : scene_.links) add(link);
  }

 private:
  Agraph_t* holder(const std::string& frame) const { return frame.empty() ? picture_ : clusters_.at(frame); }

  void add(const RegionFrame& frame) {
    Agraph_t* cluster = agsubg(holder(frame.parent), mutable_text("cluster_" + frame.id), 1);
    clusters_[frame.id] = cluster;
    set(root_, cluster, region_look(frame.kind, frame.conflict));
    set(root_, cluster,
        {{"peripheries", "1"},
         {"penwidth", "1.6"},
         {"label", ""},
         {"labelloc", "t"},
         {"labeljust", "l"},
         {"margin", "12"},
         {"id", frame.id}});
  }

  void add(const Box& box) {
    Agnode_t* node = agnode(holder(box.frame), mutable_text(box.id), 1);
    nodes_[box.id] = node;
    set(root_, node, {{"shape", "box"}, {"margin", "0.12,0.06"}, {"fontname", font}, {"id", box.id}});
    set(root_, node, box_look(box));
    const char* colour = box.shape == Box::pass ? red : box.shape == Box::marking ? amber : ink;
    set_label(root_, node, label(box.lines, body, colour));
  }

  void add(const Link& link) {
    const std::string id = "link" + std::to_string(links_++);
    Agedge_t* edge = agedge(root_, nodes_.at(link.from), nodes_.at(link.to), mutable_text(id), 1);
    const LinkLook look = link_look(link.meaning);
    set(root_, edge, {{"fontname", font}, {"arrowsize", "0.8"}, {"id", id}});
    set(root_, edge, look.attributes);
    if (link.into_text) set(root_, edge, {{"arrowhead", "none"}, {"weight", "10"}});
    if (!link.lines.empty()) set_label(root_, edge, label(link.lines, beside_link, look.text_colour));
  }

  const Scene& scene_;
  Agraph_t* root_;
  Agraph_t* picture_ = nullptr;
  std::map<std::string, Agraph_t*> clusters_;
  std::map<std::string, Agnode_t*> nodes_;
  int links_ = 0;
};

}  // namespace

Agraph_t& make_graph(const Scene& scene) {
  Agraph_t* graph = agopen(mutable_text("gradscan"), Agdirected, dense_ids());
  GraphMaker(scene, graph).make();
  return *graph;
}

std::string write_dot(Agraph_t& graph) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  agwrite(&graph, stream);
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

// The scene is gradscan's own work, and so are its bugs; only Graphviz' work is done in a child.
std::string to_dot(const Report& report, const PictureOptions&) {
  const Scene scene = make_scene(report);
  return in_child([&] { return write_dot(make_graph(scene)); }, std::chrono::seconds(20));
}

std::string to_svg(const Report& report, const PictureOptions&, std::chrono::milliseconds time_limit) {
  const Scene scene = make_scene(report);
  return in_child([&] { return render_svg(make_graph(scene)); }, time_limit);
}

}  // namespace gradscan
