#include "dot/picture.h"

#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "dot/layout/graph.h"
#include "dot/layout/labels.h"
#include "gradscan/error.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

namespace {

using Tree = boost::property_tree::ptree;

// Calls `visit` with the name of every element and the element.
template <typename Visit>
void for_each_element(const Tree& tree, const Visit& visit) {
  for (const auto& [name, child] : tree) {
    if (name == "<xmlattr>" || name == "<xmlcomment>") continue;
    visit(name, child);
    for_each_element(child, visit);
  }
}

std::string attribute(const Tree& element, const std::string& name) {
  return element.get<std::string>("<xmlattr>." + name, "");
}

// All text of an XML document; throws if it does not parse.
std::string text_of(const boost::property_tree::ptree& tree) {
  std::string text;
  for (const auto& [name, child] : tree) {
    if (name == "text") text += child.data() + "\n";
    if (name != "<xmlattr>" && name != "<xmlcomment>") text += text_of(child);
  }
  return text;
}

boost::property_tree::ptree parse(const std::string& svg) {
  std::istringstream stream(svg);
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(stream, tree);
  return tree;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Without the zero-width spaces that keep Graphviz from reading an escape.
std::string visible(std::string text) {
  const std::string space = "\u200B";
  for (auto at = text.find(space); at != std::string::npos; at = text.find(space)) text.erase(at, space.size());
  return text;
}

}  // namespace

TEST_CASE("every picture is XML and the same each time") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    const std::string svg = to_svg(report);
    CHECK(contains(text_of(parse(svg)), "model output"));
    CHECK(to_svg(report) == svg);
    CHECK(to_dot(report) == to_dot(report));
  }
}

TEST_CASE("names come out as they are, and harmless") {
  for (const std::string name :
       {"\\N \\G \\L \\E \\T \\H", "\\n\\l\\r", "\"quoted\" 'so'", "<b>&lt;</b>", "a & b &amp; &#0; &x; &", "<!-- -->", "]]>",
        "<script>alert(1)</script>", "javascript:alert(1)", "\\", "%s%n", "a->b; c{}[]", "ü中😀"}) {
    INFO(name);
    const std::string svg = to_svg(hostile(name));
    CHECK(contains(visible(text_of(parse(svg))), name + " #2"));
    CHECK_FALSE(contains(svg, "<script"));
    CHECK_FALSE(contains(svg, "href=\"javascript"));
  }
}

TEST_CASE("any bytes as a name give XML") {
  std::mt19937 random(1);
  const std::string alphabet = "\\NGnl&;#x<>\"'-[]{}%|\x01\x1b\n\t\r\xff\xc3\xa9\xe2\x80\xae\xed\xa0\xef\xbf\xbe ab";
  for (int round = 0; round < 150; ++round) {
    std::string name;
    for (auto length = random() % 40; length > 0; --length) {
      name += round % 2 ? alphabet[random() % alphabet.size()] : static_cast<char>(random() % 256);
    }
    CAPTURE(round, name);
    CHECK_NOTHROW(parse(to_svg(hostile(name))));
  }
}

TEST_CASE("ids are unique, begin with the picture's and are what links and labels name") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    std::set<std::string> ids, named;
    for_each_element(parse(to_svg(report, {}, "second-setup")), [&](const std::string&, const Tree& element) {
      const std::string id = attribute(element, "id"), target = attribute(element, "href");
      if (!id.empty()) CHECK((ids.insert(id).second && id.starts_with("second-setup")));
      if (!target.empty()) named.insert(target.substr(1));
      for (const char* key : {"data-from", "data-to"})
        if (!attribute(element, key).empty()) named.insert(attribute(element, key));
    });
    for (const std::string& id : named) CHECK(ids.contains(id));
    CHECK(ids.contains("second-setup-title"));
    CHECK(ids.contains("second-setup-desc"));
  }
}

TEST_CASE("the parts of the picture say which parameters, regions and stages they are") {
  std::map<std::string, Tree> elements;
  for_each_element(parse(to_svg(resnet50())),
                   [&](const std::string&, const Tree& element) { elements[attribute(element, "id")] = element; });
  CHECK(attribute(elements["gradscan-parameter157_1"], "data-parameter") == "157");
  CHECK(attribute(elements["gradscan-parameter157_1"], "class") == "row named");
  CHECK(attribute(elements["gradscan-more1_0"], "data-parameters") == "152-156 158");
  CHECK(attribute(elements["gradscan-region15"], "data-region") == "15");
  CHECK(attribute(elements["gradscan-checkpoint15"], "class") == "box checkpoint reentrant conflict");
  CHECK(attribute(elements["gradscan-checkpoint15"], "data-stage") == "2");
  CHECK(attribute(elements["gradscan-stage4"], "data-last-stage") == "18");
  CHECK(attribute(elements["gradscan"], "role") == "img");
  CHECK(attribute(elements["gradscan"], "aria-labelledby") == "gradscan-title gradscan-desc");
  CHECK(elements["gradscan-title"].data() == "layer4.2.bn3.weight (#157) is marked ready twice in iteration 0");
}

TEST_CASE("every picture is legible at 800 pixels") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    constexpr double none = 1000;
    double smallest = none;
    const Tree svg = parse(to_svg(report));
    for_each_element(svg, [&](const std::string& element, const Tree& tree) {
      if (element == "text") smallest = std::min(smallest, std::stod(attribute(tree, "font-size")));
    });
    REQUIRE(smallest < none);
    CHECK(smallest * 800 / std::stod(attribute(svg.get_child("svg"), "width")) >= 11);
  }
}

TEST_CASE("text stays inside its box, and boxes inside the picture") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    const Tree svg = parse(to_svg(report));
    const double width = std::stod(attribute(svg.get_child("svg"), "width"));
    for_each_element(svg, [&](const std::string& element, const Tree& tree) {
      if (element == "rect") {
        const double left = std::stod("0" + attribute(tree, "x")), size = std::stod(attribute(tree, "width"));
        CHECK((left >= 0 && left + size <= width + 0.1));
      }
      if (element != "text") return;
      const bool bold = attribute(tree, "font-weight") == "bold", middle = attribute(tree, "text-anchor") == "middle";
      const double size = text_width(tree.data(), std::stod(attribute(tree, "font-size")), bold);
      const double left = std::stod(attribute(tree, "x")) - (middle ? size / 2 : 0);
      CHECK((left >= -0.1 && left + size <= width + 0.1));
    });
  }
}

TEST_CASE("a focus that does not exist is refused, with suggestions") {
  try {
    to_svg(resnet50(), {.focus = "layer4.2.bn3.weigth"});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    CHECK(contains(error.what(), "did you mean layer4.2.bn3.weight"));
  }
}

TEST_CASE("options give the same bytes each time") {
  for (const PictureOptions& options : {PictureOptions{.focus = "layer2.1", .radius = 3}, PictureOptions{.whole = true}}) {
    CHECK(to_svg(resnet50(), options) == to_svg(resnet50(), options));
    CHECK(to_dot(resnet50(), options) == to_dot(resnet50(), options));
  }
}

TEST_CASE("DOT text holds no address and reads back") {
  const std::string dot = to_dot(resnet50());
  CHECK(contains(dot, "digraph"));
  CHECK(contains(dot, "checkpoint15"));
  CHECK(contains(dot, "bn3.weight #157"));
  CHECK_FALSE(contains(dot, "0x"));
  Agraph_t* read = agmemread(dot.c_str());
  REQUIRE(read);
  CHECK(agnnodes(read) == static_cast<int>(make_scene(resnet50()).boxes.size()));
  agclose(read);
}

TEST_CASE("several threads can make pictures at once") {
  const std::string expected = to_svg(resnet50());
  std::vector<std::string> drawn(6);
  std::vector<std::thread> threads;
  for (auto& svg : drawn) threads.emplace_back([&svg] { svg = to_svg(resnet50()); });
  for (auto& thread : threads) thread.join();
  for (const auto& svg : drawn) CHECK(svg == expected);
}

TEST_CASE("the pictures are those that were approved", "[golden]") {
  check_golden("resnet50.dot", to_dot(resnet50()));
  check_golden("used_twice.dot", to_dot(used_twice()));
  check_golden("not_averaged.dot", to_dot(not_averaged()));
  check_golden("not_trained.dot", to_dot(not_trained()));
  check_golden("resnet50_non_reentrant.dot", to_dot(resnet50_non_reentrant()));
}

// Of one version of Graphviz, which the picture names: tests/CMakeLists.txt leaves it out with another.
TEST_CASE("the layout is the one that was approved", "[golden][layout]") {
  check_golden("resnet50.svg", to_svg(resnet50()));
}
