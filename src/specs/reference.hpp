#pragma once

#include <string>

namespace left4me {

/// The reference page in Markdown: docs/reference.md.
std::string reference_markdown();

}  // namespace left4me
