#include "analyzer/repair/smallest_set.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "analyzer/graph/predict.h"

namespace gradscan {
namespace {

constexpr std::int64_t most_nodes = 4'000'000;

// Whether a reentrant region is never executed although the loss depends on it.
bool loses_region(const Capture& capture, const CallPrediction& call, const std::vector<bool>& in_loss) {
  for (std::size_t id = 0; id < capture.regions.size(); ++id)
    if (capture.regions[id].kind == Kind::reentrant && !call.from_loss.executed[id] && in_loss[capture.regions[id].end])
      return true;
  return false;
}

class Search {
 public:
  Search(std::span<const Capture> in_turn, const Setup& setup, const std::vector<NamedRegions>& names)
      : captures_(in_turn.begin(), in_turn.end()), setup_(setup), names_(names), calls_(names.size()) {
    for (Capture& capture : captures_) {
      in_loss_.push_back(nodes_in_loss(capture));
      nodes_ += static_cast<std::int64_t>(capture.nodes.size());
      for (Region& region : capture.regions) add(region);
    }
    setup_.checkpointing = Checkpointing::as_given;
  }

  std::vector<int> run() {
    std::vector<int> order = most_memory_first();
    set_kind(order, Kind::off);
    if (!is_clean()) return {};
    std::set<int> changed(order.begin(), order.end());
    std::vector<std::span<const int>> groups{order};
    while (!groups.empty() && visited_ + nodes_ <= most_nodes) {
      std::span<const int> group = groups.back();
      groups.pop_back();
      set_kind(group, Kind::reentrant);
      if (is_clean()) {
        for (int name : group) changed.erase(name);
        continue;
      }
      set_kind(group, Kind::off);
      if (group.size() == 1) continue;
      groups.push_back(group.subspan(group.size() / 2));
      groups.push_back(group.first(group.size() / 2));
    }
    return {changed.begin(), changed.end()};
  }

 private:
  void add(Region& region) {
    region.kind = kind_under(setup_.checkpointing, region.kind);
    for (std::size_t name = 0; name < names_.size(); ++name)
      if (names_[name].name == region.name && region.kind == Kind::reentrant) calls_[name].push_back(&region);
  }

  void set_kind(std::span<const int> names, Kind kind) {
    for (int name : names)
      for (Region* region : calls_[name]) region->kind = kind;
  }

  std::vector<int> most_memory_first() const {
    std::vector<int> order(names_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int left, int right) { return names_[left].saved_bytes > names_[right].saved_bytes; });
    return order;
  }

  bool is_clean() {
    visited_ += nodes_;
    Prediction prediction = predict(captures_, Checkpointing::as_given, setup_.step);
    for (std::size_t turn = 0; turn < captures_.size(); ++turn)
      if (prediction.in_turn[turn].from_loss.runs_twice ||
          loses_region(captures_[turn], prediction.in_turn[turn], in_loss_[turn]))
        return false;
    std::vector<int> marks = ready_marks(prediction, setup_).marks;
    return std::all_of(marks.begin(), marks.end(), [](int number) { return number == 1; });
  }

  std::vector<Capture> captures_;
  Setup setup_;
  const std::vector<NamedRegions>& names_;
  std::vector<std::vector<Region*>> calls_;  // by position in names_: the reentrant regions of that name
  std::vector<std::vector<bool>> in_loss_;   // by capture and node: whether the loss depends on the node
  std::int64_t nodes_ = 0, visited_ = 0;
};

}  // namespace

std::vector<int> smallest_set(std::span<const Capture> in_turn, const Setup& setup, const std::vector<NamedRegions>& names) {
  return Search(in_turn, setup, names).run();
}

}  // namespace gradscan
