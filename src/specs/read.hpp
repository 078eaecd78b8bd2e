#pragma once

#include "specs/fields.hpp"
#include "specs/load.hpp"
#include "specs/manifest.hpp"
#include "specs/yaml.hpp"

namespace left4me {

/// Puts a document that validate() and check_source() found nothing wrong with into the set. Defaults come
/// from the field table.
void read_object(const yaml::Node& root, const KindEntry& kind, const Origin& origin, const Limits& limits,
                 ManifestSet& set);

}  // namespace left4me
