#pragma once

#include <string>

namespace left4me {

/// JSON Schema (draft 2020-12) of one manifest document, for editors: docs/left4me.schema.json.
std::string json_schema();

}  // namespace left4me
