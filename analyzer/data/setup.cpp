#include "gradscan/setup.h"

#include <limits>
#include <sstream>

#include "analyzer/data/words.h"

namespace gradscan {

Kind kind_under(Checkpointing checkpointing, Kind given) {
  switch (checkpointing) {
    case Checkpointing::as_given:
      return given;
    case Checkpointing::reentrant:
      return Kind::reentrant;
    case Checkpointing::non_reentrant:
      return Kind::non_reentrant;
    case Checkpointing::off:
      return Kind::off;
  }
  return given;
}

std::string_view to_string(Checkpointing checkpointing) {
  return forms::word_of(checkpointing);
}

std::string_view to_string(Outcome outcome) {
  return forms::word_of(outcome);
}

BucketCaps bucket_caps(const Setup& setup) {
  if (setup.bucket_cap_mb) return {*setup.bucket_cap_mb, *setup.bucket_cap_mb};
  return {1, 25};
}

std::string ddp_call(const Setup& setup) {
  std::ostringstream call;
  call.precision(std::numeric_limits<double>::digits10);
  call << "DistributedDataParallel(model";
  if (setup.bucket_cap_mb) call << ", bucket_cap_mb=" << *setup.bucket_cap_mb;
  if (setup.find_unused_parameters) call << ", find_unused_parameters=True";
  if (setup.static_graph) call << ", static_graph=True";
  if (setup.gradient_as_bucket_view) call << ", gradient_as_bucket_view=True";
  call << ")";
  return call.str();
}

}  // namespace gradscan
