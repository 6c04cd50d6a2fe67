#include "analyzer/command/exit_codes.h"

#include <array>

#include "analyzer/run/scan_files.h"
#include "gradscan/error.h"

namespace gradscan {

std::span<const ExitCode> exit_codes() {
  static constexpr std::array<ExitCode, 8> codes{{
      {exit_clean, "nothing is wrong in this setup"},
      {exit_conflict,
       "training fails, gradients are silently wrong, or what happens is unknown; or --budget is too small. With --compare, "
       "this is about MODEL"},
      {exit_code(Failure::usage), "the command line makes no sense"},
      {exit_code(Failure::not_a_model), "MODEL is not a file that gradscan reads"},
      {exit_code(Failure::model_failed), "the model failed or crashed while it was loaded or run"},
      {exit_code(Failure::limit), "a limit of time, memory or size was hit"},
      {exit_code(Failure::output), "an output could not be written"},
      {exit_code(Failure::internal),
       "a bug in gradscan, or a model that does more than gradscan has seen: in a real backward, other hooks fired than it "
       "predicts"},
  }};
  return codes;
}

}  // namespace gradscan
