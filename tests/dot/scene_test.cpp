#include "dot/scene/scene.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/picture_reports.h"

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

const Row* find_row(const Scene& scene, const std::string& id) {
  for (const Box& box : scene.boxes)
    for (const Row& row : box.rows)
      if (row.id == id) return &row;
  return nullptr;
}

const Box* list_of(const Scene& scene, const std::string& row) {
  for (const Box& box : scene.boxes)
    if (std::any_of(box.rows.begin(), box.rows.end(), [&](const Row& one) { return one.id == row; })) return &box;
  return nullptr;
}

const Link* find_link(const Scene& scene, const std::string& from, const std::string& to, Link::Meaning meaning) {
  for (const Link& link : scene.links) {
    if (link.from == from && link.to == to && link.meaning == meaning) return &link;
  }
  return nullptr;
}

// Where the firings or marks of a row's list come from: the box at the other end, and the text on the way.
struct Origin {
  std::string from, text;
};

Origin origin_of(const Scene& scene, const std::string& row, Link::Meaning meaning) {
  const Box* list = list_of(scene, row);
  for (const Link& last : scene.links) {
    if (!list || last.to != list->id || last.meaning != meaning) continue;
    for (const Link& first : scene.links) {
      if (first.to == last.from && first.meaning == meaning) return {first.from, text_of(find_box(scene, last.from)->lines)};
    }
  }
  return {};
}

bool says(const Scene& scene, const std::string& words) {
  const auto holds = [&](const std::vector<Line>& lines) { return text_of(lines).find(words) != std::string::npos; };
  const auto box_holds = [&](const Box& box) {
    return holds(box.lines) || std::any_of(box.rows.begin(), box.rows.end(), [&](const Row& row) { return holds(row.lines); });
  };
  return holds(scene.header) || holds(scene.footer) || std::any_of(scene.boxes.begin(), scene.boxes.end(), box_holds) ||
         std::any_of(scene.links.begin(), scene.links.end(), [&](const Link& link) { return holds(link.lines); });
}

}  // namespace

TEST_CASE("ResNet-50: the named parameter has a mark from the search and one from the inner backward") {
  const Scene scene = make_scene(resnet50());
  CHECK(scene.header[0].text == "layer4.2.bn3.weight (#157) is marked ready twice in iteration 0");
  CHECK(says(scene, "DistributedDataParallel("));
  CHECK(says(scene, "So are 155 more parameters in 16 reentrant regions."));
  const Row* row = find_row(scene, "parameter157_1");
  REQUIRE(row);
  CHECK(row->named);
  CHECK(row->parameters == std::vector<int>{157});
  CHECK(text_of(row->lines) == "bn3.weight #157\nnamed by DDP's message");
  CHECK(list_of(scene, row->id)->frame == "region15");
  CHECK(text_of(list_of(scene, row->id)->lines) == "1 firing, 2 ready marks each");
  const Origin firing = origin_of(scene, row->id, Link::firing);
  CHECK(firing.from == "checkpoint15");
  CHECK(firing.text == "mark 2: hooks fire in the\ninner backward of layer4.2");
  const Origin mark = origin_of(scene, row->id, Link::mark);
  CHECK(mark.from == "search1");
  CHECK(mark.text == "mark 1: not found by the search,\nso marked ready at once");
  CHECK(find_link(scene, "search1", "checkpoint15", Link::stop));
  CHECK(says(scene, "and 6 more"));
}

TEST_CASE("ResNet-50: equal regions are folded, with their numbers") {
  const Scene scene = make_scene(resnet50());
  CHECK(scene.frames.size() == 1);
  CHECK(says(scene, "layer3.5 … layer3.0\n6 reentrant regions, 57 parameters\n1 firing, 2 ready marks each: same conflict"));
  CHECK(says(scene, "conv1, bn1\n3 parameters\neach fires once\nfound by DDP's search"));
}

TEST_CASE("without a conflict the regions are in order") {
  const Scene scene = make_scene(resnet50_non_reentrant());
  CHECK(scene.header[0].text == "No conflict: every parameter fires once");
  std::vector<std::string> names;
  for (const Box& box : scene.boxes) names.push_back(box.lines[0].text);
  CHECK(names == std::vector<std::string>{"model output → loss", "avgpool, fc", "layer4.2 … layer4.0", "layer3.5 … layer3.0",
                                          "layer2.3 … layer2.0", "layer1.2 … layer1.0", "conv1, bn1"});
  CHECK(std::none_of(scene.boxes.begin(), scene.boxes.end(), [](const Box& box) { return box.conflict; }));
}

TEST_CASE("a parameter appears once per use, and each use leads to the next") {
  const Scene scene = make_scene(used_twice());
  REQUIRE(find_row(scene, "parameter3_1"));
  REQUIRE(find_row(scene, "parameter3_2"));
  const Box &first = *list_of(scene, "parameter3_1"), &second = *list_of(scene, "parameter3_2");
  CHECK(first.frame == "region1");  // backward meets the second call first
  CHECK(second.frame == "region0");
  CHECK(find_link(scene, first.id, second.id, Link::same));
  CHECK(find_row(scene, "parameter3_1")->next == "parameter3_2");
  CHECK(find_row(scene, "parameter3_2")->next == "parameter3_1");
  CHECK(text_of(find_box(scene, "checkpoint1")->lines).starts_with("l2, call 2\nreentrant checkpoint region\n"));
}

TEST_CASE("firings with one cause are shown together") {
  Report report = used_twice();
  report.parameters[3].heard = report.parameters[3].fired_by = {0, 1, 1};
  report.parameters[3].ready_marks.defaults = 3;
  const Scene scene = make_scene(report);
  CHECK(origin_of(scene, "parameter3_1", Link::firing).text ==
        "marks 1 and 2: the hook fires in the\ninner backward of l2, call 2");
  CHECK(text_of(list_of(scene, "parameter3_1")->lines).ends_with("firings 1 and 2 of 3"));
  CHECK(text_of(list_of(scene, "parameter3_3")->lines).ends_with("firing 3 of 3"));
}

TEST_CASE("silent failures are as loud as errors and say their cause") {
  const Scene averaged = make_scene(not_averaged());
  CHECK(averaged.header[0].text == "embedding.weight (#0) is not averaged across the ranks; DDP is silent");
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
  CHECK(says(make_scene(report), "its backward never runs:\nnone of its tensor arguments requires grad"));
  report.regions[0].arguments_without_grad = {1};
  CHECK(says(make_scene(report), "its backward never runs:\nno gradient reaches it"));
  report.regions[0].nested_outputs = 1;
  CHECK(says(make_scene(report), "its backward never runs:\nits outputs are inside a dict or list"));
}

TEST_CASE("fixes: three with their caveats, and how many more there are") {
  Report report = resnet50();
  report.fixes = {{.change = "change A", .caveats = {"only if so", "and so"}}, {.change = "change B"}, {.change = "change C"}};
  CHECK(says(make_scene(report), "1. change A (only if so; and so)\n2. change B\n3. change C"));
  CHECK_FALSE(says(make_scene(report), "more in the other reports"));
  report.fixes.push_back({.change = "change D"});
  CHECK(says(make_scene(report), "and 1 more in the other reports"));
  CHECK_FALSE(says(make_scene(report), "change D"));
}

TEST_CASE("a parameter that nothing uses is drawn") {
  const Scene scene = make_scene(unfinished());
  CHECK(says(scene, "not reached from the loss"));
  CHECK(find_row(scene, "parameter0_0"));
}

TEST_CASE("nested regions: frames between the outermost and the innermost are left out, and a link says so") {
  CHECK(make_scene(nested(3)).frames.size() == 3);
  const Scene deep = make_scene(nested(200));
  CHECK(deep.frames.size() == 3);
  CHECK(std::any_of(deep.links.begin(), deep.links.end(),
                    [](const Link& link) { return text_of(link.lines).find("197 nested regions") != std::string::npos; }));
}

TEST_CASE("other errors show torch's message, and a file without regions says so") {
  CHECK(says(make_scene(other_error()), "Trying to backward through the graph a second"));
  CHECK(says(make_scene(no_regions()), "names no checkpoint regions"));
}

TEST_CASE("where two backwards meet, both lead there") {
  const Scene scene = make_scene(other_error());
  REQUIRE(find_box(scene, "second_run"));
  CHECK(text_of(find_box(scene, "second_run")->lines).starts_with("made by l1\nReluBackward0, model.py:20\n2 backward passes"));
  CHECK(find_link(scene, "checkpoint0", "second_run", Link::astray));
  CHECK(find_link(scene, "stage1", "second_run", Link::backward));  // the outer one comes from l1
}

TEST_CASE("a closure leads to the stage that made its tensor, or to a box of its own") {
  Report report = used_twice();
  report.regions[0].closures = {{.op = "AddmmBackward0", .module = "l1"},
                                {.op = "MulBackward0", .module = "", .source = "m.py:3"}};
  const Scene scene = make_scene(report);
  CHECK(find_link(scene, "checkpoint0", "stage2", Link::astray));
  CHECK(find_link(scene, "checkpoint0", "closure0_1", Link::astray));
  CHECK(text_of(find_box(scene, "closure0_1")->lines) == "made by MulBackward0\nm.py:3");
}

TEST_CASE("other backwards of the iteration are drawn") {
  Report report = used_twice();
  report.setup.step.backwards = 2;
  report.setup.step.no_sync = 3;
  const Scene scene = make_scene(report);
  CHECK(find_link(scene, "later_backwards", "checkpoint1", Link::again));
  CHECK(find_link(scene, "earlier_losses", "checkpoint1", Link::again));
  CHECK(says(scene, "before it: 3 backwards in no_sync()"));
}

TEST_CASE("a reentrant checkpoint around the model is between the loss and the stages") {
  Report report = used_twice();
  report.setup.step.checkpoint_around = Kind::reentrant;
  report.inputs = {{.name = "x", .dtype = "float32", .shape = {2}, .requires_grad = true}};
  report.outputs = {{.path = "output", .dtype = "float32", .shape = {2}, .edge = {}, .in_loss = true}};
  const Scene scene = make_scene(report);
  CHECK(find_link(scene, "output", "around_model", Link::backward));
  CHECK(find_link(scene, "around_model", "checkpoint1", Link::backward));
  CHECK(says(scene, "its inner backward runs everything below"));
}

TEST_CASE("around a focus: its stage in full, its neighbours by themselves, everything else folded") {
  const Scene scene = make_scene(resnet50(), {.focus = "layer3.2.conv2.weight", .radius = 2});
  CHECK(scene.frames.size() == 1);
  CHECK(scene.frames[0].id == "region9");
  CHECK(says(scene, "conv2.weight #96"));
  CHECK(says(scene, "layer3.2.conv2.weight (#96)"));
  std::vector<std::string> names;
  for (const Box& box : scene.boxes)
    if (box.first_stage != none) names.push_back(box.lines[0].text);
  CHECK(names == std::vector<std::string>{"avgpool, fc … layer3.5", "layer3.4", "layer3.3", "layer3.2", "layer3.1", "layer3.0",
                                          "layer2.3 … conv1, bn1"});
  CHECK(make_scene(resnet50(), {.focus = "96", .radius = 0}).boxes.size() < scene.boxes.size());
}

TEST_CASE("a parameter without a conflict can be in focus, and does not stand out") {
  const Scene scene = make_scene(resnet50(), {.focus = "conv1.weight"});
  const Box* list = list_of(scene, "parameter0_1");
  REQUIRE(list);
  CHECK_FALSE(list->conflict);
  CHECK(list->rows[0].focus);
  CHECK_FALSE(list->rows[0].named);
  CHECK(origin_of(scene, "parameter0_1", Link::firing).text == "the hook fires in\nthe outer backward");
}

TEST_CASE("a region in focus lists its parameters by name, even without a conflict") {
  const Scene scene = make_scene(resnet50_non_reentrant(), {.focus = "layer2.1"});
  const Box* list = list_of(scene, "parameter45_1");
  REQUIRE(list);
  CHECK(list->rows.size() == 9);
  CHECK(std::none_of(list->rows.begin(), list->rows.end(), [](const Row& row) { return row.named || row.focus; }));
}

TEST_CASE("the whole model: every region in full, every stage a box of its own") {
  const Scene scene = make_scene(resnet50(), {.whole = true});
  CHECK(scene.frames.size() == 16);
  std::size_t shown = 0;
  for (const Box& box : scene.boxes) {
    CHECK(box.folds == 1);
    shown += box.rows.size();
  }
  CHECK(shown == 156);  // every parameter in conflict by name
  CHECK_FALSE(says(scene, "Too large"));
}

TEST_CASE("a huge model is not drawn whole, and the picture says so") {
  const Scene scene = make_scene(many_regions(1000), {.whole = true});
  CHECK(scene.frames.size() == 40);
  CHECK(scene.boxes.size() <= 600);
  CHECK(says(scene, "Too large to draw in full: 960 of 1000 stages are folded"));
}

TEST_CASE("a scene stays small, and its links lead to its boxes") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    const Scene scene = make_scene(report);
    CHECK(scene.boxes.size() <= 150);
    std::set<std::string> ids, rows;
    for (const Box& box : scene.boxes) {
      CHECK(ids.insert(box.id).second);
      for (const Row& row : box.rows) CHECK((!ids.contains(row.id) && rows.insert(row.id).second));
    }
    for (const Link& link : scene.links) CHECK((ids.contains(link.from) && ids.contains(link.to)));
  }
}
