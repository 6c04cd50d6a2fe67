// What happens to every parameter while a model trains under DDP: its firings, which of them come too late, and which gradients
// the ranks share in the end.
#pragma once

#include <optional>
#include <vector>

#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// What DDP does with a firing.
enum class Hearing {
  not_prepared,  // nothing: it is inside ddp.no_sync(), or before DDP's forward (in a checkpoint around the model)
  listens,       // a ready mark
  finished,      // nothing: the reduction of the iteration is finished
};

// All vectors are indexed by DDP index.
class Observations {
 public:
  explicit Observations(std::size_t parameters) : trained_(parameters, false) { begin_iteration(); }

  void begin_iteration();

  void add_firing(Firing firing, Hearing hearing);

  // The gradients after an iteration, on this rank and on the other one, whose backward yields only zeros.
  void end_iteration(const std::vector<float>& gradients, const std::vector<float>& other_gradients);

  // For each finished iteration, the causes of all firings, ascending.
  const std::vector<Causes>& causes() const { return causes_; }

  // Fills in what a verdict says about gradients, except the buckets.
  void fill(Verdict& verdict) const;

 private:
  void note_local(int parameter);

  std::vector<bool> trained_;
  std::vector<LocalGradient> local_;  // ascending
  std::optional<Firing> last_mark_;   // of the first iteration in which firings came too late
  std::vector<Causes> causes_;

  // In the current iteration.
  int iteration_ = -1;
  Causes fired_, late_;
  std::optional<Firing> newest_mark_;  // the latest firing in time that was the first of its parameter
  std::vector<bool> marked_;
  bool any_late_ = false;
};

}  // namespace gradscan
