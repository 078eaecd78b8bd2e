#pragma once

#include "operations/json.hpp"
#include "reconciler/plan.hpp"

namespace left4me::operations {

/// What `diff -o json` prints; docs/cli.md documents its fields.
Json plan_json(const Plan& plan);

}  // namespace left4me::operations
