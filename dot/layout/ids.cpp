#include "dot/layout/ids.h"

#include <map>
#include <string>
#include <vector>

namespace gradscan {
namespace {

// The names in one graph. A name's number is its position in `names`; objects without a name get a number, too. cgraph reads
// memory before a name, so these strings are allocated by cgraph.
struct Names {
  Agraph_t* graph;
  std::map<std::string, std::size_t> numbers;
  std::vector<char*> names;  // nullptr: without a name
};

void* open_names(Agraph_t* graph, Agdisc_t*) {
  return new Names{graph, {}, {}};
}
void close_names(void* state) {
  delete static_cast<Names*>(state);
}

// Parameter types of these functions differ between versions of Graphviz, so they are templates.

template <typename Name, typename Id>
long number_of(void* state, int, Name* name, Id* id, int create) {
  auto& [graph, numbers, names] = *static_cast<Names*>(state);
  const auto known = name ? numbers.find(name) : numbers.end();
  if (known != numbers.end()) {
    *id = known->second;
    return 1;
  }
  if (!create) return 0;
  *id = names.size();
  if (name) numbers.emplace(name, names.size());
  names.push_back(name ? agstrdup(graph, name) : nullptr);
  return 1;
}

template <typename Name, typename Id>
Name* name_of(void* state, int, Id id) {
  const auto& names = static_cast<Names*>(state)->names;
  return id < names.size() ? names[id] : nullptr;
}

// Numbers are neither requested nor released.
template <typename Result, typename Id>
Result refuse(void*, int, Id) {
  return Result(0);
}
template <typename Id>
void keep(void*, int, Id) {}
void ignore(void*, int, void*) {}

Agiddisc_t make_discipline() {
  Agiddisc_t discipline{};
  discipline.open = open_names;
  discipline.map = number_of;
  discipline.alloc = refuse;
  discipline.free = keep;
  discipline.print = name_of;
  discipline.close = close_names;
  discipline.idregister = ignore;
  return discipline;
}

}  // namespace

Agdisc_t* dense_ids() {
  static Agiddisc_t discipline = make_discipline();
  static Agdisc_t all = [] {
    Agdisc_t disciplines{};
    disciplines.id = &discipline;
    return disciplines;
  }();
  return &all;
}

}  // namespace gradscan
