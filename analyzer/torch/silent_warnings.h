// Keeps torch's warnings on this thread away from standard error while it exists: the library prints nothing, and what they
// warn about is part of the report.
#pragma once

#include <c10/util/Exception.h>

namespace gradscan {

class SilentWarnings : private c10::WarningHandler {
 public:
  SilentWarnings() : guard_(this) {}

 private:
  void process(const c10::Warning&) override {}

  c10::WarningUtils::WarningHandlerGuard guard_;
};

}  // namespace gradscan
