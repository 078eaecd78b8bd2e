#pragma once

#include "specs/fields.hpp"

namespace left4me {

/// Every setting of config.yaml. Its name is "config"; the root of the file is a Map.
const Field& config_table();

}  // namespace left4me
