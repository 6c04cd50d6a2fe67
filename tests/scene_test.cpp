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

// Where the firings or marks of a leaf come from: the box at the other end, and the text on the way.
struct Origin {
  std::string from, text;
};

Origin origin_of(const Scene& scene, const std::string& leaf, Link::Meaning meaning) {
  for (const Link& last : scene.links) {
    if (last.to != leaf || last.meaning != meaning) continue;
    for (const Link& first : scene.links) {
      if (first.to == last.from && first.meaning == meaning) return {first.from, text_of(find_box(scene, last.from)->lines)};
    }
  }
  return {};
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
  const Origin firing = origin_of(scene, leaf->id, Link::firing);
  CHECK(firing.from == "checkpoint15");
  CHECK(firing.text == "mark 2: hooks fire in the\ninner backward of layer4.2");
  const Origin mark = origin_of(scene, leaf->id, Link::mark);
  CHECK(mark.from == "search1");
  CHECK(mark.text == "mark 1: not found by the search,\nso marked ready at once");
  CHECK(find_link(scene, "search1", "checkpoint15", Link::stop));
  CHECK(says(scene, "7 more\n1 firing, 2 ready marks each"));
}

TEST_CASE("ResNet-50: equal regions are folded, with their numbers") {
  const Scene scene = make_scene(resnet50());
  CHECK(scene.frames.size() == 1);
  CHECK(says(scene, "layer3.5 … layer3.0\n6 reentrant regions, 57 parameters\n1 firing, 2 ready marks each: same conflict"));
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
  CHECK(find_box(scene, "checkpoint1")->lines[0].text == "l2, call 2: reentrant checkpoint region");
}

TEST_CASE("silent failures are as loud as errors and say their cause") {
  const Scene averaged = make_scene(not_averaged());
  CHECK(averaged.header[0].text == "embedding.weight (#0) is not averaged over the ranks; DDP is silent");
  CHECK(origin_of(averaged, "parameter0_1", Link::firing).from == "checkpoint2");
  const Origin outer = origin_of(averaged, "parameter0_2", Link::firing);
  CHECK(outer.from == "stage3");
  CHECK(outer.text == "too late: the hook fires in\nthe outer backward");
  const Scene trained = make_scene(not_trained());
  CHECK(trained.header[0].text == "l1.weight (#0) is never trained; DDP is silent");
  CHECK(says(trained, "its backward never runs:\nits argument does not require grad"));
  CHECK(origin_of(trained, "parameter0_0", Link::silence).from == "checkpoint0");
}

TEST_CASE("why a region's backward never runs") {
  Report report = not_trained();
  report.regions[0].arguments = 2;
  report.regions[0].arguments_without_grad = {0, 1};
  CHECK(says(make_scene(report), "its backward never runs:\nno tensor argument of it requires grad"));
  report.regions[0].arguments_without_grad = {1};
  CHECK(says(make_scene(report), "its backward never runs:\nno gradient reaches it"));
  report.regions[0].nested_outputs = 1;
  CHECK(says(make_scene(report), "its backward never runs:\nits outputs are inside a dict or list"));
}

TEST_CASE("fixes: three with their conditions, and how many more there are") {
  Report report = resnet50();
  report.fixes = {{"change A", "", {}, "only if so"}, {"change B", "", {}}, {"change C", "", {}}};
  CHECK(says(make_scene(report), "Replayed without a conflict: change A (only if so)\nor: change B\nor: change C"));
  CHECK_FALSE(says(make_scene(report), "more in the text report"));
  report.fixes.push_back({"change D", "", {}});
  CHECK(says(make_scene(report), "and 1 more in the text report"));
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
