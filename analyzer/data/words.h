// The words that enumerators have in every file that gradscan writes or reads, and in to_string().
#pragma once

#include <array>

#include "analyzer/json/forms.h"
#include "gradscan/capture.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

using forms::Word;

constexpr auto words_of(Kind) {
  return std::array<Word<Kind>, 3>{
      {{Kind::reentrant, "reentrant"}, {Kind::non_reentrant, "non_reentrant"}, {Kind::off, "off"}}};
}

constexpr auto words_of(Role) {
  return std::array<Word<Role>, 5>{{{Role::operation, "operation"},
                                    {Role::parameter, "parameter"},
                                    {Role::leaf, "leaf"},
                                    {Role::region_begin, "region_begin"},
                                    {Role::region_end, "region_end"}}};
}

constexpr auto words_of(Mismatch) {
  return std::array<Word<Mismatch>, 4>{{{Mismatch::unknown, ""},
                                        {Mismatch::raises, "raises"},
                                        {Mismatch::unnoticed, "unnoticed"},
                                        {Mismatch::harmless, "harmless"}}};
}

constexpr auto words_of(RegionOrigin) {
  return std::array<Word<RegionOrigin>, 8>{{{RegionOrigin::unknown, ""},
                                            {RegionOrigin::marker, "marker"},
                                            {RegionOrigin::function, "Function"},
                                            {RegionOrigin::wrapper, "CheckpointWrapper"},
                                            {RegionOrigin::source_range, "source range"},
                                            {RegionOrigin::pattern, "pattern"},
                                            {RegionOrigin::module, "module"},
                                            {RegionOrigin::changing_module, "module that changes an argument"}}};
}

constexpr auto words_of(InputOrigin) {
  return std::array<Word<InputOrigin>, 5>{{{InputOrigin::unknown, ""},
                                           {InputOrigin::recorded, "recorded"},
                                           {InputOrigin::traced, "traced input"},
                                           {InputOrigin::metadata, "gradscan metadata"},
                                           {InputOrigin::option, "--input"}}};
}

constexpr auto words_of(Checkpointing) {
  return std::array<Word<Checkpointing>, 4>{{{Checkpointing::as_given, "as_given"},
                                             {Checkpointing::reentrant, "reentrant"},
                                             {Checkpointing::non_reentrant, "non_reentrant"},
                                             {Checkpointing::off, "off"}}};
}

constexpr auto words_of(Outcome) {
  return std::array<Word<Outcome>, 5>{{{Outcome::pass, "pass"},
                                       {Outcome::marked_ready_twice, "marked_ready_twice"},
                                       {Outcome::unfinished_reduction, "unfinished_reduction"},
                                       {Outcome::graph_changed, "graph_changed"},
                                       {Outcome::other, "other"}}};
}

}  // namespace gradscan
