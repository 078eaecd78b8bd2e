#pragma once

#include <cstdint>
#include <span>

#include "privileged/sandbox/place.hpp"

namespace left4me::sandbox {

/// The calls that the unit's own filter had to leave to this program, by one architecture's numbers.
struct Calls {
    std::uint32_t architecture;
    std::span<const std::uint32_t> forbidden;
    std::uint32_t unshare, clone, clone3;
};

Calls calls_of_x86_64();
Calls calls_of_i386();

/// Takes those calls away for good: mounting, changing the user, new namespaces.
Result<> forbid_calls();

}  // namespace left4me::sandbox
