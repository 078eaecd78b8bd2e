#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "builder/result.hpp"

namespace left4me::builder {

/// Calls `work` for 0 … count-1, in this order, for up to `at_once` of them at the same time, in threads of
/// their own if that is more than one. Returns the first error: then nothing more is begun, and what is under
/// way is asked to stop.
Built<void> for_each_at_once(std::size_t count, unsigned at_once, std::stop_source& stop,
                             const std::function<Built<void>(std::size_t index)>& work);

}  // namespace left4me::builder
