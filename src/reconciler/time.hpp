#pragma once

#include <chrono>
#include <string>

namespace left4me {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

/// `12:03:04 UTC`, for moments that are minutes away.
std::string clock_text(TimePoint time);
/// `2026-03-01 12:03 UTC`.
std::string date_text(TimePoint time);

}  // namespace left4me
