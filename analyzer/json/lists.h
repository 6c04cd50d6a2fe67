// The lists of a document that its numbers are positions in: "region 15" is the sixteenth of "regions". Each list is a Space;
// a document says how long each is and, where it matters, what its elements are called.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>

#include "analyzer/json/json.h"

namespace gradscan::forms {

struct Space {
  std::size_t number;  // of the space, below Lists::most
  const char* one;     // what an element is called: "region"
};

class Lists {
 public:
  static constexpr std::size_t most = 8;
  using Names = std::function<const std::string&(int)>;

  void add(Space space, std::size_t size, Names names = {}) { lists_[space.number] = {size, std::move(names)}; }

  const std::string& name(Space space, int position) const { return lists_[space.number].names(position); }

  // Throws Malformed.
  void check(Space space, int position) const {
    if (position < 0 || static_cast<std::size_t>(position) >= lists_[space.number].size)
      throw Malformed(": " + std::to_string(position) + " is no " + space.one);
  }

 private:
  struct List {
    std::size_t size = 0;
    Names names;
  };
  std::array<List, most> lists_;
};

}  // namespace gradscan::forms
