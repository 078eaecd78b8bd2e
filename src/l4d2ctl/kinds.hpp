#pragma once

#include <optional>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"
#include "specs/fields.hpp"

namespace left4me::ctl {

/// What `KIND`, `KIND NAME…`, `KIND/NAME…` or `all` name.
struct Target {
    std::optional<Kind> kind;        ///< nullopt: all kinds
    std::vector<std::string> names;  ///< in the order given, none twice; empty: every object of the kind
};

Result<Target> parse_target(const std::vector<std::string>& words);

/// A name from the command line goes into unit names and paths: the one rule for names holds here as well.
Result<void> check_name(const std::string& name);

/// `NAME`, or `server/NAME` as the output has it.
Result<std::string> parse_server_name(const std::string& word);

}  // namespace left4me::ctl
