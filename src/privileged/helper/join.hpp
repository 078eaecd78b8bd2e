#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace left4me::helper {

/// The callbacks of concurrent calls hold copies. When the last copy is gone, the function given to
/// when_all_are_done() runs.
using Join = std::shared_ptr<void>;

inline Join when_all_are_done(std::function<void()> then) {
    return {nullptr, [then = std::move(then)](void*) { then(); }};
}

}  // namespace left4me::helper
