#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "specs/fields.hpp"

namespace left4me {

/// The field at `path`: `server.spec.port`, `config.source.git`. Kinds in any case, plurals and short names
/// too; `config` is the table of the configuration, found by its name. nullptr if there is none.
const Field* find_field(std::string_view path, const Field& config);

/// The documentation of one field: `explain("server.spec.port", config)`, `explain("server", config)`.
/// The error names what there is, with "did you mean" for a typo.
std::expected<std::string, std::string> explain(std::string_view path, const Field& config);

}  // namespace left4me
