#include "dot/picture.h"

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "gradscan/writers.h"
#include "tests/catch.h"
#include "tests/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

namespace {

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

TEST_CASE("every picture is XML and says the same each time") {
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
    CHECK_FALSE(contains(svg, "href"));
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

TEST_CASE("DOT text holds no address and reads back") {
  const std::string dot = to_dot(resnet50());
  CHECK(contains(dot, "digraph"));
  CHECK(contains(dot, "parameter157_1"));
  CHECK_FALSE(contains(dot, "0x"));
  Agraph_t* read = agmemread(dot.c_str());
  REQUIRE(read);
  CHECK(agnnodes(read) == static_cast<int>(make_scene(resnet50()).boxes.size()));
  agclose(read);
}

TEST_CASE("pictures are made by several threads at a time") {
  const std::string expected = to_svg(resnet50());
  std::vector<std::string> drawn(6);
  std::vector<std::thread> threads;
  for (auto& svg : drawn) threads.emplace_back([&svg] { svg = to_svg(resnet50()); });
  for (auto& thread : threads) thread.join();
  for (const auto& svg : drawn) CHECK(svg == expected);
}
