#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace left4me::helper {

/// Copies are held by the callbacks of calls that are under way together; when the last one is gone, what was
/// given to when_all_are_done() runs.
using Join = std::shared_ptr<void>;

inline Join when_all_are_done(std::function<void()> then) {
    return {nullptr, [then = std::move(then)](void*) { then(); }};
}

}  // namespace left4me::helper
