#include "html/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analyzer/diagnose/causes.h"
#include "analyzer/text/prose.h"
#include "html/markup.h"
#include "html/words.h"

namespace gradscan::page {
namespace {

constexpr std::size_t causes_shown = 3;

class ParameterRows {
 public:
  ParameterRows(const Report& report, const View& asked, const Anchors& anchors)
      : report_(report),
        anchors_(anchors),
        names_(report),
        outcomes_(report.parameters.size(), nullptr),
        all_(outcomes_of(report, asked)) {
    for (auto some = all_.rbegin(); some != all_.rend(); ++some)
      for (const int index : some->parameters) outcomes_[index] = &*some;
    for (const int index : asked.verdict->parameters) named_.insert(index);
  }

  std::string row(const ParameterReport& parameter) const {
    const auto& [reentrant, non_reentrant, off] = parameter.firings;
    const auto& [defaults, unused, fixed] = parameter.ready_marks;
    return element("tr", {{"id", anchors_.parameter(parameter.index)}},
                   element("td", std::to_string(parameter.index)) + name(parameter) + outcome(parameter.index) +
                       element("td", escaped(tensor_in_words(parameter.dtype, parameter.shape))) + number(reentrant) +
                       number(non_reentrant) + number(off) + number(defaults) + number(unused) + number(fixed) +
                       element("td", escaped(causes(parameter)))) +
           "\n";
  }

 private:
  std::string name(const ParameterReport& parameter) const {
    std::string text = link(anchors_.parameter(parameter.index), escaped(parameter.name));
    for (const std::string& alias : parameter.aliases) text += element("small", "also " + code(alias));
    return element("th", {{"scope", "row"}}, text);
  }

  std::string outcome(int index) const {
    const Outcomes* some = outcomes_[index];
    if (some == nullptr) return element("td", {{"class", "pass"}}, "ok");
    const std::string of_class = class_of(some->severity);
    return element("td", {{"class", of_class}}, escaped(some->words) + (named_.count(index) ? ", named" : ""));
  }

  // Highlights every number but 1, which is what it should be.
  static std::string number(int value) { return element("td", {{"class", value == 1 ? "" : "odd"}}, std::to_string(value)); }

  std::string causes(const ParameterReport& parameter) const {
    std::map<Cause, int> firings;
    for (const Cause cause : parameter.fired_by) ++firings[cause];
    std::vector<std::string> words;
    for (const auto& [cause, times] : firings)
      words.push_back(fmt::format("{}{}", cause.is_region() ? names_[cause.region()] : outer_in_words(cause),
                                  times == 1 ? "" : fmt::format(" ({})", gradscan::times(times))));
    return words.empty() ? "nothing" : enumerate(words, causes_shown);
  }

  const Report& report_;
  const Anchors& anchors_;
  RegionNames names_;
  std::vector<const Outcomes*> outcomes_;  // for each parameter, the worst; or null
  std::vector<Outcomes> all_;
  std::set<int> named_;
};

// Two lines: titles of column groups above, titles of columns below.
std::string head() {
  const auto wide = [](std::string_view title) { return element("th", {{"scope", "colgroup"}, {"colspan", "3"}}, title); };
  const auto tall = [](std::string_view title) { return element("th", {{"scope", "col"}, {"rowspan", "2"}}, title); };
  return element("tr", tall("index") + tall("name") + tall("outcome") + tall("tensor") + wide("firings, if regions were") +
                           wide("ready marks, with") + tall("fired by")) +
         element("tr", header_cells({"reentrant", "non-reentrant", "off", "defaults", "find_unused", "static_graph"}));
}

}  // namespace

std::string parameter_table(const Report& report, const View& asked, const Anchors& anchors) {
  const ParameterRows rows(report, asked, anchors);
  std::string body;
  for (const ParameterReport& parameter : report.parameters) body += rows.row(parameter);
  const std::string caption =
      element("caption",
              "Per iteration. Ready marks and \"fired by\" are for the requested kind of checkpointing; "
              "there should be one mark. \"Named\" parameters are in DDP's message.");
  std::string columns;
  for (int column = 0; column < 11; ++column) columns += "<col/>";
  return element("table", {{"class", "parameters"}},
                 caption + element("colgroup", columns) + element("thead", head()) + element("tbody", body));
}

}  // namespace gradscan::page
