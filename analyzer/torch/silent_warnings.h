// Keeps torch's warnings of this thread from standard error while it lives: the library prints nothing, and what they warn of
// is part of the report.
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
