#pragma once

#include <string>
#include <string_view>

#include "specs/fields.hpp"

namespace left4me {

/// The reference page in Markdown: docs/reference.md.
std::string reference_markdown();

/// `page`, docs/man/left4me-config.5, with the items of its list made new: one for each field of `config`,
/// between the list's `.Bl` and `.El`.
std::string with_settings(std::string_view page, const Field& config);

}  // namespace left4me
