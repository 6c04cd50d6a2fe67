#include "dot/scene.h"

#include <algorithm>
#include <set>

#include "tests/catch.h"
#include "tests/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

namespace {

std::string text_of(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) text += (text.empty() ? "" : "\n") + line.text;
  return text;
}

const Box* find_box(const Scene& scene, const std::string& id) {
  const auto found = std::find_if(scene.boxes.begin(), scene.boxes.end(), [&](const Box& box) { return box.id == id; });
  return found == scene.boxes.end() ? nullptr : &*found;
}

const Link* find_link(const Scene& scene, const std::string& from, const std::string& to, Link::Meaning meaning) {
  for (const Link& link : scene.links) {
    if (link.from == from && link.to == to && link.meaning == meaning) return &link;
  }
  return nullptr;
}

bool says(const Scene& scene, const std::string& words) {
  const auto holds = [&](const std::vector<Line>& lines) { return text_of(lines).find(words) != std::string::npos; };
  return holds(scene.header) || holds(scene.footer) ||
         std::any_of(scene.boxes.begin(), scene.boxes.end(), [&](const Box& box) { return holds(box.lines); });
}

}  // namespace

TEST_CASE("ResNet-50: the named parameter has a mark from the search and one from the inner backward") {
  const Scene scene = make_scene(resnet50());
  CHECK(scene.header[0].text == "layer4.2.bn3.weight (#157) is marked ready twice in iteration 0");
  CHECK(says(scene, "DistributedDataParallel("));
  CHECK(says(scene, "So are 155 more parameters in 16 reentrant regions."));
  const Box* leaf = find_box(scene, "parameter157_1");
  REQUIRE(leaf);
  CHECK(leaf->named);
  CHECK(leaf->frame == "region15");
  CHECK(text_of(leaf->lines) == "bn3.weight #157\n1 firing, 2 ready marks\nnamed by DDP's message");
  const Link* firing = find_link(scene, "checkpoint15", "parameter157_1", Link::firing);
  REQUIRE(firing);
  CHECK(text_of(firing->lines) == "mark 2: the hook fires in\nthe inner backward of layer4.2");
  const Link* mark = find_link(scene, "search1", "parameter157_1", Link::mark);
  REQUIRE(mark);
  CHECK(text_of(mark->lines) == "mark 1: not found by the search,\nso marked ready at once");
  CHECK(find_link(scene, "search1", "checkpoint15", Link::stop));
  CHECK(says(scene, "7 more\n1 firing, 2 ready marks each"));
}

TEST_CASE("ResNet-50: equal regions are folded, with their numbers") {
  const Scene scene = make_scene(resnet50());
  CHECK(scene.frames.size() == 1);
  CHECK(says(scene, "layer3.5 … layer3.0\n6 reentrant regions, 57 parameters\neach 1 firing, 2 ready marks: same conflict"));
  CHECK(says(scene, "conv1, bn1\n3 parameters\neach fires once\nfound by DDP's search"));
}

TEST_CASE("without a conflict the regions stand in order") {
  const Scene scene = make_scene(resnet50_non_reentrant());
  CHECK(scene.header[0].text == "No conflict: every parameter fires once");
  std::vector<std::string> names;
  for (const Box& box : scene.boxes) names.push_back(box.lines[0].text);
  CHECK(names == std::vector<std::string>{"model output → loss", "avgpool, fc", "layer4.2 … layer4.0", "layer3.5 … layer3.0",
                                          "layer2.3 … layer2.0", "layer1.2 … layer1.0", "conv1, bn1"});
  CHECK(std::none_of(scene.boxes.begin(), scene.boxes.end(), [](const Box& box) { return box.conflict; }));
}

TEST_CASE("a parameter is drawn once for each use") {
  const Scene scene = make_scene(used_twice());
  REQUIRE(find_box(scene, "parameter3_1"));
  REQUIRE(find_box(scene, "parameter3_2"));
  CHECK(find_box(scene, "parameter3_1")->frame == "region1");  // backward meets the second call first
  CHECK(find_box(scene, "parameter3_2")->frame == "region0");
  CHECK(find_link(scene, "parameter3_1", "parameter3_2", Link::same));
  CHECK(scene.frames[0].lines[0].text == "l2, call 2: reentrant checkpoint region");
}

TEST_CASE("silent failures are as loud as errors and say their cause") {
  const Scene averaged = make_scene(not_averaged());
  CHECK(averaged.header[0].text == "embedding.weight (#0) is not averaged over the ranks, and DDP says nothing");
  CHECK(find_link(averaged, "checkpoint2", "parameter0_1", Link::firing));
  CHECK(text_of(find_link(averaged, "stage3", "parameter0_2", Link::firing)->lines).find("outer backward") !=
        std::string::npos);
  const Scene trained = make_scene(not_trained());
  CHECK(trained.header[0].text == "l1.weight (#0) is never trained, and DDP says nothing");
  CHECK(says(trained, "its backward never runs:\nits argument does not require grad"));
  CHECK(find_link(trained, "checkpoint0", "parameter0_0", Link::silence));
}

TEST_CASE("a parameter that nothing uses has a place") {
  const Scene scene = make_scene(unfinished());
  CHECK(says(scene, "not reached from the loss"));
  CHECK(find_box(scene, "parameter0_0"));
}

TEST_CASE("nested regions: the frames between the outermost and the innermost are left out, and it is said") {
  CHECK(make_scene(nested(3)).frames.size() == 3);
  const Scene deep = make_scene(nested(200));
  CHECK(deep.frames.size() == 3);
  CHECK(std::any_of(deep.links.begin(), deep.links.end(),
                    [](const Link& link) { return text_of(link.lines).find("197 nested regions") != std::string::npos; }));
}

TEST_CASE("other errors carry torch's words, and a file without regions says so") {
  CHECK(says(make_scene(other_error()), "Trying to backward through the graph a second"));
  CHECK(says(make_scene(no_regions()), "names no checkpoint regions"));
}

TEST_CASE("a scene stays small, and its links lead to its boxes") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    const Scene scene = make_scene(report);
    CHECK(scene.boxes.size() <= 150);
    std::set<std::string> ids;
    for (const Box& box : scene.boxes) CHECK(ids.insert(box.id).second);
    for (const Link& link : scene.links) CHECK((ids.contains(link.from) && ids.contains(link.to)));
  }
}
