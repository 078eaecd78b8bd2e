#pragma once

#include "operations/json.hpp"
#include "reconciler/plan.hpp"

namespace left4me::operations {

/// The output of `diff -o json`; docs/cli.md documents its fields.
Json plan_json(const Plan& plan, const Observed& observed);

}  // namespace left4me::operations
