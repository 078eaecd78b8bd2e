#pragma once

#include <optional>
#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"

namespace left4me::ctl {

enum class Kind { Server, Blueprint, Overlay };

const char* to_string(Kind kind);      ///< "server", as in `server/comp1`
const char* manifest_kind(Kind kind);  ///< "Server", as in a manifest

/// `servers`, `server`, `srv`, `Server` and so on; nullopt for no kind at all.
std::optional<Kind> parse_kind(const std::string& word);

/// What `KIND`, `KIND NAME`, `KIND/NAME` or `all` name. An empty name means every object of the kind.
struct Target {
    std::optional<Kind> kind;  ///< nullopt: all kinds
    std::string name;
};

Result<Target> parse_target(const std::vector<std::string>& words);

/// A name from the command line goes into unit names and paths: the one rule for names holds here as well.
Result<void> check_name(const std::string& name);

}  // namespace left4me::ctl
