#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace left4me {

/// The documentation of one field: `explain("server.spec.port")`, `explain("server")`. Kinds in any case,
/// plurals too. The error names what there is, with "did you mean" for a typo.
std::expected<std::string, std::string> explain(std::string_view path);

}  // namespace left4me
