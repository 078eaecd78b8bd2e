#pragma once

#include <optional>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"
#include "specs/fields.hpp"

namespace left4me::ctl {

/// The objects named by `KIND`, `KIND NAME…`, `KIND/NAME…` or `all`.
struct Target {
    std::optional<Kind> kind;  ///< nullopt: all kinds
    /// In the given order, without duplicates; empty: every object of the kind.
    std::vector<std::string> names;
};

/// Whether it is one overlay, or one Installation.
bool names_one_artifact(const Target& target);

Result<Target> parse_target(const std::vector<std::string>& words);

/// A name from the command line is used in unit names and paths, so the rule for names applies here as well.
Result<void> check_name(const std::string& name);

/// `NAME`, or `server/NAME` as in the output.
Result<std::string> parse_server_name(const std::string& word);

}  // namespace left4me::ctl
