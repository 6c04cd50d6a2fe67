// For tests of permissions.
#pragma once

namespace gradscan::tests {

// While it lives, the bits of files count for root too, who may otherwise read and write everything.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  unsigned dropped_ = 0;
  int secure_bits_ = 0;
};

}  // namespace gradscan::tests
