#include "analyzer/diagnose/outcome_words.h"

#include "analyzer/diagnose/findings.h"

namespace gradscan {

OutcomeWords in_words(const Report& report, const Verdict& verdict) {
  switch (verdict.outcome) {
    case Outcome::marked_ready_twice:
      return {Loudness::error, "ERROR ready twice"};
    case Outcome::unfinished_reduction:
      return {Loudness::error, "ERROR unfinished"};
    case Outcome::graph_changed:
      return {Loudness::error, "ERROR graph change"};
    case Outcome::other:
      return {Loudness::error, "ERROR other"};
    case Outcome::pass:
      break;
  }
  if (!verdict.unsynchronised.empty()) return {Loudness::silent, "SILENT unaveraged"};
  if (!lost_to_checkpointing(report, verdict).empty() || loses_regions(report, verdict.setup))
    return {Loudness::silent, "SILENT not trained"};
  return {Loudness::pass, "pass"};
}

std::string in_words(Checkpointing checkpointing) {
  switch (checkpointing) {
    case Checkpointing::as_given:
      return "as given";
    case Checkpointing::reentrant:
      return "reentrant";
    case Checkpointing::non_reentrant:
      return "non-reentrant";
    case Checkpointing::off:
      break;
  }
  return "off";
}

std::string in_words(Kind kind) {
  return kind == Kind::reentrant ? "reentrant" : kind == Kind::non_reentrant ? "non-reentrant" : "not checkpointed";
}

std::string origin_in_words(const std::string& origin) {
  if (origin == "marker") return "markers in the file";
  if (origin == "pattern") return "--checkpoint";
  if (origin == "CheckpointWrapper") return "modules of the type CheckpointWrapper";
  if (origin == "source range") return "the source lines in the file";
  return origin;
}

}  // namespace gradscan
