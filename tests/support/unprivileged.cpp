#include "tests/support/unprivileged.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace gradscan::tests {
namespace {

// Both are among the first 32 capabilities.
constexpr unsigned ignoring_permissions = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;

// Takes capabilities from those in effect, adds others, and returns those that it has taken.
unsigned change(unsigned taken, unsigned added) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) throw std::system_error(errno, std::generic_category(), "capget");
  const unsigned effective = data[0].effective;
  data[0].effective = (effective & ~taken) | added;
  if (::syscall(SYS_capset, &header, data) != 0) throw std::system_error(errno, std::generic_category(), "capset");
  return effective & taken;
}

}  // namespace

// access() takes a real root to have all capabilities, unless SECBIT_NO_SETUID_FIXUP is set.
Unprivileged::Unprivileged() : dropped_(change(ignoring_permissions, 0)), secure_bits_(::prctl(PR_GET_SECUREBITS)) {
  if (dropped_ != 0 && ::prctl(PR_SET_SECUREBITS, secure_bits_ | SECBIT_NO_SETUID_FIXUP) != 0)
    throw std::system_error(errno, std::generic_category(), "PR_SET_SECUREBITS");
}

Unprivileged::~Unprivileged() {
  if (dropped_ == 0) return;
  ::prctl(PR_SET_SECUREBITS, secure_bits_);
  change(0, dropped_);
}

}  // namespace gradscan::tests
