#pragma once

#include <span>
#include <string_view>

#include "specs/validate.hpp"

namespace left4me {

/// The rules between documents: names and ports are unique, references resolve. `unread` holds the texts of
/// documents that could not be read; objects that they might define are not reported as missing.
void cross_check(std::span<const ObjectSummary> objects, std::span<const std::string_view> unread,
                 Diagnostics& diagnostics);

}  // namespace left4me
