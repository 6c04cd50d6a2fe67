// Options form a forest: an edge leads from an option to those directly inside it. A choice is an antichain of the forest. The
// bytes it frees and the FLOPs it recomputes are sums over its members, but the memory for recomputation counts once, for the
// largest member. So every possible largest recomputation is tried as a bound: only options within the bound may be chosen, and
// what remains is a knapsack on a forest.
//
// The knapsack is solved from the leaves to the roots. Of the choices inside an option only the Pareto front matters: those for
// which no other choice frees as much with fewer FLOPs. The front of an option is the sum of its children's fronts, plus the
// option itself. Fronts are thinned to `front_limit` choices, and the bounds to `bound_limit` values; the result still fits,
// but a cheaper choice may be missed. The running time is at most bound_limit * options * front_limit^2.
#include "analyzer/plan/knapsack.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "analyzer/base/sort_unique.h"

namespace gradscan {
namespace {

constexpr std::size_t front_limit = 128;
constexpr std::size_t bound_limit = 24;

// Either a single option or the sum of two other choices.
struct Choice {
  std::int64_t freed = 0, flops = 0;
  int option = -1;
  int first = -1, second = -1;  // positions in Knapsack::choices_
};

// Keeps at most `limit` elements, evenly spread, including the first and the last.
template <class T>
void thin(std::vector<T>& elements, std::size_t limit) {
  if (elements.size() <= limit) return;
  std::vector<T> kept;
  for (std::size_t k = 0; k < limit; ++k) kept.push_back(elements[k * (elements.size() - 1) / (limit - 1)]);
  elements = std::move(kept);
}

// All choices under one bound.
class Knapsack {
 public:
  Knapsack(const std::vector<Option>& options, std::int64_t bound) : options_(options) {
    choices_.push_back({});  // nothing
    std::vector<Front> fronts(options.size() + 1, Front{0});
    for (std::size_t id = options.size(); id-- > 0;) {
      const Option& option = options[id];
      if (option.eligible && option.recomputed <= bound) add(fronts[id], static_cast<int>(id));
      Front& around = option.parent < 0 ? fronts.back() : fronts[option.parent];
      around = sum(around, fronts[id]);
      fronts[id] = {};
    }
    front_ = std::move(fronts.back());
  }

  // Ascending by bytes freed, and by FLOPs.
  std::vector<Choice> front() const {
    std::vector<Choice> front;
    for (int at : front_) front.push_back(choices_[at]);
    return front;
  }

  std::vector<int> members(const Choice& choice) const {
    std::vector<int> members;
    std::vector<Choice> stack{choice};
    while (!stack.empty()) {
      Choice top = stack.back();
      stack.pop_back();
      if (top.option >= 0) members.push_back(top.option);
      if (top.first >= 0) stack.push_back(choices_[top.first]);
      if (top.second >= 0) stack.push_back(choices_[top.second]);
    }
    std::sort(members.begin(), members.end());
    return members;
  }

 private:
  using Front = std::vector<int>;  // positions in choices_

  void add(Front& front, int option) {
    choices_.push_back({.freed = options_[option].freed, .flops = options_[option].flops, .option = option});
    front.push_back(static_cast<int>(choices_.size()) - 1);
    reduce(front);
  }

  Front sum(const Front& a, const Front& b) {
    const Front nothing{0};
    if (a == nothing) return b;
    if (b == nothing) return a;
    std::vector<Choice> sums;
    for (int first : a)
      for (int second : b)
        sums.push_back({choices_[first].freed + choices_[second].freed, choices_[first].flops + choices_[second].flops, -1,
                        first, second});
    keep_best(sums);
    Front front;
    for (const Choice& choice : sums) {
      front.push_back(static_cast<int>(choices_.size()));
      choices_.push_back(choice);
    }
    return front;
  }

  void reduce(Front& front) {
    std::vector<Choice> choices;
    for (int at : front) choices.push_back({choices_[at].freed, choices_[at].flops, -1, at, -1});
    keep_best(choices);
    front.clear();
    for (const Choice& choice : choices) front.push_back(choice.first);
  }

  // Sorted by FLOPs; a choice stays only if it frees more than every cheaper one.
  static void keep_best(std::vector<Choice>& choices) {
    std::stable_sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
      return a.flops != b.flops ? a.flops < b.flops : a.freed > b.freed;
    });
    std::vector<Choice> best;
    for (const Choice& choice : choices)
      if (best.empty() || choice.freed > best.back().freed) best.push_back(choice);
    thin(best, front_limit);
    choices = std::move(best);
  }

  const std::vector<Option>& options_;
  std::vector<Choice> choices_;
  Front front_;
};

// Candidate limits for the largest recomputation, ascending.
std::vector<std::int64_t> bounds(const std::vector<Option>& options) {
  std::vector<std::int64_t> bounds{0};
  for (const Option& option : options)
    if (option.eligible) bounds.push_back(option.recomputed);
  sort_unique(bounds);
  thin(bounds, bound_limit);
  return bounds;
}

}  // namespace

std::vector<int> choose(const std::vector<Option>& options, std::int64_t excess) {
  std::vector<int> cheapest, smallest;
  std::optional<std::int64_t> least_flops;
  std::int64_t most_freed = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t bound : bounds(options)) {
    Knapsack knapsack(options, bound);
    for (const Choice& choice : knapsack.front()) {
      if (choice.freed - bound > most_freed) {
        most_freed = choice.freed - bound;
        smallest = knapsack.members(choice);
      }
      if (choice.freed - bound < excess || (least_flops && choice.flops >= *least_flops)) continue;
      least_flops = choice.flops;
      cheapest = knapsack.members(choice);
    }
  }
  return least_flops ? cheapest : smallest;
}

}  // namespace gradscan
