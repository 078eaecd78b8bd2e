#pragma once

#include <expected>
#include <string>
#include <vector>

#include "specs/diagnostic.hpp"
#include "specs/load.hpp"
#include "specs/manifest.hpp"

namespace left4me {

/// The spec of one server as the l4d2ctl of version 1 took it, `port`, `overlays`, `arguments` and `config`
/// (a text, or a list of its lines), as manifests: a Blueprint and a Server of this name. What is
/// wrong with the values is left to load(), but for what could not be written down; all errors at once.
std::expected<std::string, Diagnostics> convert_instance_spec(const std::string& name, const SourceFile& spec,
                                                              RunState state = RunState::Stopped);

/// The same spec of what the old platform wrote for one server.
struct OldInstance {
    std::string environment;            ///< instance.env: L4D2_PORT, L4D2_ARGS, L4D2_LOWERDIRS
    std::string config;                 ///< its server.cfg
    std::string state;                  ///< the directory above installation, overlays, …
    std::vector<std::string> overlays;  ///< filled in: their directories' names, uppermost first
};
/// An error says why it cannot be converted. Arguments that left4me gives every server are left out.
std::expected<SourceFile, std::string> spec_of(const std::string& name, OldInstance& instance);
/// The name of the Overlay that one of their directories becomes.
std::string name_of_old_overlay(const std::string& directory);

}  // namespace left4me
