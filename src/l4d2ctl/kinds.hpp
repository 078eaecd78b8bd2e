#pragma once

#include <optional>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"
#include "reconciler/plan.hpp"
#include "specs/fields.hpp"

namespace left4me::ctl {

/// The objects named by `KIND`, `KIND NAME…`, `KIND/NAME…` or `all`.
struct Target {
    std::optional<Kind> kind;  ///< nullopt: all kinds
    /// In the given order, without duplicates; empty: every object of the kind.
    std::vector<std::string> names;
};

Result<Target> parse_target(const std::vector<std::string>& words);

/// The one overlay or Installation that the words name. `usage`: what to say if it is not one.
Result<Subject> parse_artifact_owner(const std::vector<std::string>& words, const char* usage);

/// A name from the command line is used in unit names and paths, so the rule for names applies here as well.
Result<void> check_name(const std::string& name);

/// `NAME`, or `server/NAME` as in the output.
Result<std::string> parse_server_name(const std::string& word);

}  // namespace left4me::ctl
