#pragma once

#include <string_view>

#include "reconciler/memory.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me {

/// The digest of the rendering that a server is mounted with or, if it is not, would start with; empty:
/// unknown.
std::string rendering_in_use(const ObservedServer& server);

/// What has failed is tried again.
void forget_failure(Trial& trial);

/// Something was started with the rendering, and was not healthy.
bool has_failed(const Trial& trial, std::string_view rendering);

/// What runs now may yet fail, and the server would return to this rendering then.
bool may_return_to(const Trial& trial, std::string_view rendering);

/// It has run with what it should run with, and was healthy, for the soak time of its Blueprint, without
/// having failed before.
bool has_soaked(const TargetServer& target, const Trial& trial, TimePoint now);

/// What is remembered of the rendering that the server has in use. A server is healthy while it has stayed up
/// and its game answers. What is unknown (the probe does not run) changes nothing. Only the target's
/// rendering can fail, once it has been started and until it has soaked once. It has failed until the server
/// runs with another one that is asked for, or a person wants it tried again. `was_started`: left4me has
/// tried to start the server since the pass before.
Trial next_trial(const Remembered& before, const TargetServer& target, const ObservedServer& server,
                 const Observed& observed, bool was_started);

}  // namespace left4me
