// What is seen of every parameter while a model trains under DDP: which firings came, which of them too late, and which
// gradients the ranks share in the end.
#pragma once

#include <optional>
#include <vector>

#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// What DDP makes of a firing.
enum class Hearing {
  not_prepared,  // nothing: it is inside of ddp.no_sync(), or before DDP's forward (in a checkpoint around the model)
  listens,       // a ready mark
  finished,      // nothing: the iteration's reduction is finished
};

// By DDP index, in every vector.
class Observations {
 public:
  explicit Observations(std::size_t parameters) : trained_(parameters, false) { begin_iteration(); }

  void begin_iteration();

  void add_firing(Firing firing, Hearing hearing);

  // The gradients after an iteration, on this rank and on the other one, whose backward has given nothing but zeros.
  void end_iteration(const std::vector<float>& gradients, const std::vector<float>& other_gradients);

  // Of each finished iteration, the causes of all firings, ascending.
  const std::vector<Causes>& causes() const { return causes_; }

  // Fills what a verdict says of gradients, but the buckets.
  void fill(Verdict& verdict) const;

 private:
  void note_local(int parameter);

  std::vector<bool> trained_;
  std::vector<LocalGradient> local_;  // ascending
  std::optional<Firing> last_mark_;   // of the first iteration in which firings came too late
  std::vector<Causes> causes_;

  // Of the present iteration.
  int iteration_ = -1;
  Causes fired_, late_;
  std::optional<Firing> newest_mark_;  // the last of those firings in time that were the first of their parameter
  std::vector<bool> marked_;
  bool any_late_ = false;
};

}  // namespace gradscan
