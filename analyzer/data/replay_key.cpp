#include "analyzer/data/replay_key.h"

#include "analyzer/data/setup_fields.h"

namespace gradscan {
namespace {

template <typename T>
std::string key_of(const T& value) {
  return forms::one_line(forms::Object<T>{}.write(value, {}));
}

}  // namespace

std::string replay_key(const Setup& setup) {
  return key_of(setup);
}

std::string replay_key(const Edits& edits) {
  return key_of(edits);
}

}  // namespace gradscan
