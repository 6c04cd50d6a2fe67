#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/page_reports.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;
using boost::property_tree::ptree;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What stands between two marks, the first time; both are taken out of `text` with it.
std::string cut(std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from), end = text.find(to, begin);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::string inside = text.substr(begin + from.size(), end - begin - from.size());
  text.erase(begin, end + to.size() - begin);
  return inside;
}

// The page without its script and style sheet, which are no XML.
std::string markup(std::string html) {
  cut(html, "<script>", "</script>");
  cut(html, "<style>", "</style>");
  return html;
}

ptree parse(const std::string& html) {
  std::istringstream stream(markup(html));
  ptree tree;
  read_xml(stream, tree);
  return tree;
}

using Visit = std::function<void(const std::string&, const ptree&)>;

// Elements in the order of the document, but for pictures.
void each_element(const ptree& tree, const Visit& visit) {
  for (const auto& [name, child] : tree) {
    if (name == "svg" || name.front() == '<') continue;
    visit(name, child);
    each_element(child, visit);
  }
}

std::string attribute(const ptree& element, const std::string& name) {
  return element.get("<xmlattr>." + name, std::string());
}

std::string text_of(const ptree& element) {
  std::string text = element.data();
  each_element(element, [&](const std::string&, const ptree& child) { text += child.data(); });
  return text;
}

std::map<std::string, int> ids(const ptree& page) {
  std::map<std::string, int> numbers;
  each_element(page, [&](const std::string&, const ptree& element) {
    const std::string id = attribute(element, "id");
    if (!id.empty()) ++numbers[id];
  });
  return numbers;
}

// The text of the cells of each row of tables of this class.
std::vector<std::vector<std::string>> rows(const ptree& page, const std::string& table_class) {
  std::vector<std::vector<std::string>> found;
  each_element(page, [&](const std::string&, const ptree& table) {
    if (attribute(table, "class") != table_class || !table.count("tbody")) return;
    for (const auto& [name, row] : table.get_child("tbody")) {
      if (name != "tr") continue;
      found.emplace_back();
      each_element(row, [&](const std::string& tag, const ptree& cell) {
        if (tag == "td" || tag == "th") found.back().push_back(text_of(cell));
      });
    }
  });
  return found;
}

// Fragments are percent-encoded.
std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at];
      continue;
    }
    result += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
    at += 2;
  }
  return result;
}

}  // namespace

TEST_CASE("every page is well-formed, the same each time, and its links lead somewhere") {
  auto pages = all_reports();
  pages.emplace_back("every setup", resnet50_in_every_setup());
  for (const auto& [name, report] : pages) {
    INFO(name);
    const std::string html = to_html(only(report));
    CHECK(to_html(only(report)) == html);
    const ptree page = parse(html);
    const auto all = ids(page);
    for (const auto& [id, number] : all) {
      INFO(id);
      CHECK(number == 1);
    }
    each_element(page, [&](const std::string& tag, const ptree& element) {
      if (tag != "a") return;
      const std::string target = attribute(element, "href");
      INFO(target);
      CHECK(target.starts_with("#"));
      CHECK(all.count(decoded(target.substr(1))) == 1);
    });
  }
}

TEST_CASE("a page has every parameter once, by its name, with what happens to it") {
  const Report report = resnet50_in_every_setup();
  const ptree page = parse(to_html(only(report)));
  const auto all = ids(page);
  for (const ParameterReport& parameter : report.parameters) CHECK(all.count(parameter.name) == 1);
  const auto table = rows(page, "parameters");
  REQUIRE(table.size() == report.parameters.size());
  for (std::size_t at = 0; at < table.size(); ++at) {
    CHECK(table[at][0] == std::to_string(at));
    CHECK(table[at][1] == report.parameters[at].name);
  }
  CHECK(table[0][2] == "ok");
  CHECK(contains(table[156][2], "ready twice"));
  CHECK_FALSE(contains(table[156][2], "named"));
  CHECK(contains(table[157][2], "ready twice, named"));
  CHECK(std::vector<std::string>(table[157].begin() + 4, table[157].end()) ==
        std::vector<std::string>{"1", "1", "1", "1", "2", "1", "layer4.2"});
}

TEST_CASE("a setup has its own panel, and that of the requested setup is open") {
  const auto panels = [](const Report& report) {
    std::map<std::string, ptree> found;
    each_element(parse(to_html(only(report))), [&](const std::string& tag, const ptree& element) {
      if (tag == "details" && attribute(element, "class") == "setup") found[attribute(element, "id")] = element;
    });
    return found;
  };
  const auto with_pictures = [](const std::map<std::string, ptree>& panels) {
    return std::count_if(panels.begin(), panels.end(), [](const auto& panel) { return panel.second.count("figure") == 1; });
  };
  const std::string asked = "setup=reentrant,find_unused_parameters", other = "setup=off,static_graph";

  auto all = panels(resnet50_in_every_setup());
  CHECK(all.size() == 9);
  CHECK(with_pictures(all) == 9);
  CHECK(attribute(all[asked], "open") == "open");
  CHECK(attribute(all[other], "open").empty());
  CHECK(nlohmann::json::parse(attribute(all[asked], "data-outcomes")) ==
        nlohmann::json::parse(R"([["ready twice", "error", "3-158"]])"));
  CHECK(attribute(all[asked], "data-named") == "157");

  all = panels(resnet50_with_verdicts());
  CHECK(all.size() == 9);
  CHECK(with_pictures(all) == 1);

  Report more = resnet50_in_every_setup();
  more.setup.static_graph = more.verdict.setup.static_graph = true;  // both flags: no row
  all = panels(more);
  CHECK(all.size() == 10);
  CHECK(attribute(all["setup=asked"], "open") == "open");
}

TEST_CASE("groups of parameters show once what they have in common") {
  Report report = used_twice();
  auto& groups = report.findings[0].groups;
  groups = {{.label = "a", .parameters = {2}, .members = {"weight"}, .firings = 2, .ready_marks = 2, .reason = "twice"},
            {.label = "b", .parameters = {3}, .members = {"weight"}, .firings = 2, .ready_marks = 2, .reason = "twice"}};
  std::string html = to_html(only(report));
  CHECK(contains(html, "<p>Each with 2 firings, 2 ready marks: twice.</p>"));
  CHECK(rows(parse(html), "groups") ==
        std::vector<std::vector<std::string>>{{"a", "1 parameter #2", "weight"}, {"b", "1 parameter #3", "as in a"}});
  groups[1].ready_marks = 3;
  html = to_html(only(report));
  CHECK_FALSE(contains(html, "Each with"));
  CHECK(rows(parse(html), "groups")[1][2] == "2 firings, 3 ready marks: twice");
}

TEST_CASE("the verdict of a setup without its own report names parameters") {
  Report report = resnet50_with_verdicts();
  report.setup.find_unused_parameters = false;
  report.verdict = {};
  report.findings.clear();
  report.verdicts[2].unsynchronised = {0, 159};
  report.verdicts[2].untrained = {1};
  report.parameters[1].in_loss = true;
  const std::string html = markup(to_html(only(report)));
  CHECK(contains(html, "ready twice: 1 parameter: <a href=\"#layer4.2.bn3.weight\">"));
  CHECK(contains(html, "not averaged: 2 parameters: <a href=\"#conv1.weight\">"));
  CHECK(contains(html, "not trained: 1 parameter: <a href=\"#bn1.weight\">"));
}

TEST_CASE("a page says what changes cost, and nothing of what is unknown") {
  const std::string html = markup(to_html(only(resnet50_in_every_setup())));
  CHECK(contains(html, "up to 147 MiB of activations instead of 80 MiB, 0% of the work recomputed instead of 25%"));
  CHECK(contains(html, "only if every iteration runs the same graph"));
  CHECK(contains(html, "20 MiB (layer1.2)"));
  CHECK(contains(html, "25% more work (6 GFLOP)"));
  CHECK(contains(html, "294 MiB: 98 MiB of parameters, 98 MiB of gradients and 98 MiB of buckets."));
  CHECK(contains(html, "Buffers have no gradients."));
  CHECK(contains(html, "The tracer warned of a loop."));
  const std::string unknown = markup(to_html(only(resnet50())));
  CHECK_FALSE(contains(unknown, "Memory and work"));
  CHECK_FALSE(contains(unknown, "of activations"));
  CHECK_FALSE(contains(unknown, "These do not"));
}

TEST_CASE("an accepted finding is shown with its reason, and the page does not say that all is well") {
  Report report = resnet50_with_verdicts();
  report.findings[0].accepted = "flags change next week";
  const std::string html = markup(to_html(only(report)));
  CHECK(contains(html, "accepted: flags change next week"));
  CHECK(contains(html, "ready twice, accepted, named"));
  CHECK_FALSE(contains(html, "lead pass"));
  CHECK_FALSE(contains(html, "section=fixes"));
}

TEST_CASE("names come out as they are, and act as nothing") {
  for (const std::string name : {"</script><script>alert(1)</script>", "\"quoted\" 'so' onclick=alert(1)", "<b>&lt;</b>",
                                 "a & b &amp; &#0; &x; &", "<!-- --><![CDATA[", "]]>", "%3Cb%3E %", "section=parameters",
                                 "/../x?y#z", "ü中😀", "</template><img src=x onerror=alert(1)>"}) {
    INFO(name);
    const std::string html = to_html(only(hostile(name)));
    const ptree page = parse(html);
    const auto table = rows(page, "parameters");
    REQUIRE(table.size() == 4);
    for (const auto& row : table) CHECK(row[1] == name);
    CHECK(ids(page).count("parameter=3") == 1);  // four parameters of one name
    each_element(page, [&](const std::string& tag, const ptree& element) {
      CHECK(tag != "script");
      CHECK(tag != "img");
      CHECK(attribute(element, "onclick").empty());
    });
  }
}

TEST_CASE("direction marks, control characters and broken UTF-8 are replaced") {
  const std::string html = to_html(only(hostile("a\u202Eb\x01\xff\u200B")));
  for (const auto& row : rows(parse(html), "parameters")) CHECK(row[1] == "a\uFFFDb\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("a parameter whose name cannot be an id uses its index") {
  Report report = used_twice();
  report.parameters[0].name = "two words";
  report.parameters[1].name = "a=b";
  report.parameters[2].name = "";
  report.parameters[3].name = "setups";
  const auto all = ids(parse(to_html(only(report))));
  for (const char* id : {"parameter=0", "parameter=1", "parameter=2", "setups"}) CHECK(all.count(id) == 1);
}

TEST_CASE("a page of several files has the worst first and a link to each") {
  const Survey survey = several_files();
  const ptree page = parse(to_html(survey));
  const auto table = rows(page, "files");
  REQUIRE(table.size() == 4);
  CHECK(table[0][0] == "models/gone.pt");
  CHECK(table[0][2] == "no such file: check the path");
  CHECK(table[1][0] == "models/resnet50.pt");
  CHECK(table[2][0] == "models/tied.pt");
  CHECK(table[3][0] == "models/clean.pt");
  const auto all = ids(page);
  for (const char* id : {"1/file=", "2/file=", "3/file=", "4/file=", "1/fc.bias", "4/fc.bias", "3/embedding.weight"}) {
    INFO(id);
    CHECK(all.count(id) == 1);
  }
  for (const auto& [id, number] : all) {
    INFO(id);
    CHECK(number == 1);
  }
}

TEST_CASE("pages of nothing, and of a file that could not be scanned") {
  CHECK(contains(to_html({}), "No files were scanned."));
  parse(to_html({}));
  const std::string html = to_html({{{.path = "a<b.pt", .error = "a<b.pt: no such file", .exit_code = 3}}});
  CHECK(contains(text_of(parse(html)), "a<b.pt: no such file"));
  CHECK(contains(text_of(parse(html)), "could not be scanned"));
}

TEST_CASE("a page loads nothing and allows no other script") {
  std::string html = to_html(only(resnet50_in_every_setup()));
  CHECK(contains(html, "default-src 'none'"));
  CHECK(contains(html, "script-src 'sha256-"));
  cut(html, "<script>", "</script>");
  CHECK_FALSE(contains(html, "<script"));
  CHECK_FALSE(contains(html, " src="));
  CHECK_FALSE(contains(html, "@import"));
  CHECK_FALSE(contains(html, "url(http"));
}

TEST_CASE("the page is the one that was approved", "[golden]") {
  std::string html = markup(to_html(only(used_twice())));
  cut(html, "<svg", "</svg>");  // the layout depends on the version of Graphviz
  cut(html, "sha256-", "'");
  check_golden("used_twice.html", html);
}
