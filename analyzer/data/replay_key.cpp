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

// A region that is not reentrant leaves the graph as one that is not checkpointed does.
std::string replay_key(Edits edits) {
  for (CheckpointPattern& pattern : edits.checkpoint)
    if (pattern.kind == Kind::off) pattern.kind = Kind::non_reentrant;
  return key_of(edits);
}

}  // namespace gradscan
