#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/paths.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// RFC 3339, in UTC, always with six fractional digits: `2026-01-31T12:00:00.000000Z`. All state files use
/// it.
std::string time_to_json(TimePoint time);
std::optional<TimePoint> time_from_json(const std::string& text);

/// The text of `state/NAME`; nullopt: there is no such file.
std::expected<std::optional<std::string>, std::string> read_state_file(const Paths& paths,
                                                                       const std::string& name);

/// Replaces `state/NAME` atomically: written next to it, then renamed.
std::expected<void, std::string> replace_state_file(const Paths& paths, const std::string& name,
                                                    std::string_view text);

}  // namespace left4me
