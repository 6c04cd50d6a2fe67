// Errors.
//
// The library never prints, exits or aborts: whatever stops it is thrown as an Error, whose text is the single line that the
// command line prints after "gradscan: ".
//
//     try {
//       auto report = gradscan::scan("model.pt");
//     } catch (const gradscan::Error& error) {
//       std::cerr << error.what() << '\n';          // model.pt: is cut short (no zip directory): copy the file again
//       return gradscan::exit_code(error.failure());
//     }
#pragma once

#include <stdexcept>
#include <string>

namespace gradscan {

// What went wrong. The values are the exit codes of the command line.
enum class Failure {
  usage = 2,         // the request makes no sense: an unknown option, a pattern that matches nothing
  not_a_model = 3,   // the file is not one that gradscan can read
  model_failed = 4,  // the model failed or crashed while it was loaded or run
  limit = 5,         // a limit (time, memory, size) was hit
  output = 6,        // an output could not be written
  internal = 70,     // a bug in gradscan
};

constexpr int exit_code(Failure failure) {
  return static_cast<int>(failure);
}

class Error : public std::runtime_error {
 public:
  // `subject` is the file or option at fault (may be empty), `problem` says what is wrong, `remedy` what to do about it (may be
  // empty). what() is "subject: problem: remedy", always a single line.
  Error(Failure failure, const std::string& subject, const std::string& problem, const std::string& remedy = {});

  Failure failure() const noexcept { return failure_; }

 private:
  Failure failure_;
};

}  // namespace gradscan
