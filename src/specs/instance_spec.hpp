#pragma once

#include <expected>
#include <string>

#include "specs/diagnostic.hpp"
#include "specs/load.hpp"

namespace left4me {

/// The spec of one server as the l4d2ctl of version 1 took it, `port`, `overlays`, `arguments` and `config`
/// (a text, or a list of its lines), as manifests: a Blueprint and a stopped Server of this name. What is
/// wrong with the values is left to load(), but for what could not be written down; all errors at once.
std::expected<std::string, Diagnostics> convert_instance_spec(const std::string& name,
                                                              const SourceFile& spec);

}  // namespace left4me
