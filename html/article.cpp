#include "html/article.h"

#include <fmt/format.h>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/report/report.h"
#include "analyzer/text/prose.h"
#include "html/anchors.h"
#include "html/markup.h"
#include "html/parameters.h"
#include "html/regions.h"
#include "html/remedies.h"
#include "html/setups.h"
#include "html/views.h"
#include "html/words.h"

namespace gradscan::page {
namespace {

constexpr std::size_t names_shown = 6;

class Article {
 public:
  Article(const Report& report, const std::string& heading, int file, const PictureOptions& picture)
      : report_(report), heading_(heading), anchors_(report, file), views_(views_of(report, anchors_)), picture_(picture) {}

  std::string write() const {
    return header() + section("setups", "All setups", setup_table(report_, views_) + note_on_setups()) +
           element("div", {{"class", "panels"}}, setup_panels(report_, views_, anchors_, picture_)) +
           section("fixes", "Fixes for this setup", fixes(report_, views_)) +
           section("no-help", "Changes that do not help", changes_without_effect(report_)) +
           section("memory", "Memory and work", memory_and_work(report_)) + section("parameters", "Parameters", parameters()) +
           section("regions", "Checkpoint regions", region_table(report_, anchors_)) + section("notes", "Notes", notes());
  }

 private:
  std::string section(const std::string& name, std::string_view title, const std::string& inside) const {
    if (inside.empty()) return "";
    return element("section", {{"id", anchors_.of("section=" + name)}}, fmt::format("{}\n{}", element("h2", title), inside)) +
           "\n";
  }

  // ---- What was scanned.

  std::string header() const {
    std::string facts = fact("gradscan", report_.gradscan) +
                        fact("torch", report_.torch + (report_.written_by.empty() || report_.written_by == report_.torch
                                                           ? ""
                                                           : "; file written by torch " + report_.written_by)) +
                        fact("parameters", frozen()) + fact("regions", std::to_string(report_.regions.size()));
    for (const Input& input : report_.inputs)
      facts += fact("input", fmt::format("{} {}", input.name, tensor_in_words(input.dtype, input.shape)));
    facts += fact("loss", loss());
    for (const std::string& phrase : gradscan::in_words(report_.setup.step)) facts += fact("step", phrase);
    if (report_.in_turn.size() > 1) facts += fact("graphs in turn", enumerate(report_.in_turn, names_shown));
    return element("header", element("h1", code(heading_)) + lead(report_) + element("dl", {{"class", "facts"}}, facts)) + "\n";
  }

  static std::string fact(std::string_view term, const std::string& text) {
    if (text.empty()) return "";
    return element("div", element("dt", term) + element("dd", escaped(text)));
  }

  std::string frozen() const {
    std::string text = std::to_string(report_.parameters.size());
    if (report_.frozen > 0) text += fmt::format(", and {} frozen", report_.frozen);
    if (report_.ignored > 0) text += fmt::format(", and {} excluded from DDP", report_.ignored);
    return text;
  }

  std::string loss() const {
    std::vector<std::string> taken;
    for (const Output& output : report_.outputs)
      if (output.in_loss) taken.push_back(fmt::format("{} {}", output.path, tensor_in_words(output.dtype, output.shape)));
    if (taken.empty()) return "";
    return enumerate(taken, names_shown) + (has_doubtful_loss(report_) ? " (a guess)" : "");
  }

  // ---- What was found.

  std::string note_on_setups() const {
    if (report_.verdicts.empty() || !report_.regions.empty()) return "";
    return element("p", "There are no checkpoint regions, so all rows are the same.");
  }

  std::string parameters() const {
    for (const View& view : views_)
      if (view.asked) return parameter_table(report_, view, anchors_);
    return "";
  }

  std::string notes() const {
    std::string list;
    for (const std::string& note : reasons_to_vary(report_)) list += element("li", escaped("The graph may differ: " + note));
    for (const std::string& note : report_.notes) list += element("li", escaped(note));
    return list.empty() ? "" : element("ul", list);
  }

  const Report& report_;
  std::string heading_;
  Anchors anchors_;
  std::vector<View> views_;
  PictureOptions picture_;
};

std::string failure(const Scanned& scanned) {
  return element("header", element("h1", code(scanned.path))) +
         element("section", {{"class", "error"}},
                 element("h3", sign("error") + " This file could not be scanned") + element("pre", escaped(scanned.error)));
}

}  // namespace

std::string article(const Scanned& scanned, int file, const PictureOptions& picture) {
  const std::string heading = file == 0 && scanned.report ? scanned.report->model : scanned.path;
  const std::string inside = scanned.report ? Article(*scanned.report, heading, file, picture).write() : failure(scanned);
  return element("article", {{"id", file_prefix(file) + "file="}}, inside) + "\n";
}

}  // namespace gradscan::page
