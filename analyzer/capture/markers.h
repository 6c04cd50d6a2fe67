// Region markers: what gradscan.export leaves in a TorchScript file to say where checkpoint regions begin and end.
//
// A marker is a call of a small scripted function, which is saved with the model, so that the file runs anywhere. Its first
// argument is JSON text. docs/markers.md describes the format; this is its reader. It does not need torch.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

inline constexpr std::string_view begin_marker = "gradscan_region_begin";
inline constexpr std::string_view end_marker = "gradscan_region_end";
inline constexpr std::string_view requires_grad_marker = "gradscan_requires_grad";

// Something is wrong with a file's markers. what() describes the file: "has a malformed region marker ...".
struct MarkerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct BeginMarker {
  std::string region;  // a number, unique in the file
  std::string parent;  // the region that encloses it; empty if none does
  std::string name;    // as Region::name
  Kind kind = Kind::reentrant;
  std::string source;        // as Region::source
  std::string place;         // as Region::place
  std::vector<bool> direct;  // for each tensor, whether it is itself an argument (else it is inside a list, dict or object)
  std::vector<bool> requires_grad;  // for each tensor, at the call
};

struct EndMarker {
  std::string region;
  std::vector<bool> direct;  // for each tensor, whether it is the result or a member of a result tuple
};

// Both throw MarkerError for text that docs/markers.md does not allow.
BeginMarker parse_begin_marker(const std::string& json);
EndMarker parse_end_marker(const std::string& json);

}  // namespace gradscan
