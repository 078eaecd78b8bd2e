#pragma once

#include <string>
#include <string_view>

#include "specs/fields.hpp"
#include "specs/pins.hpp"
#include "specs/reporter.hpp"
#include "specs/yaml.hpp"

namespace left4me {

/// The file beside the manifests that pins moving inputs. Only the one at the top of a source is read.
inline constexpr std::string_view lock_file_name = "left4me.lock";

/// Whether a file of a source is the lock file, not a manifest.
bool is_lock_file(std::string_view name);

/// The fields of a lock file; not those of a kind, because it is no object.
const Field& lock_table();

/// Limits of the lock file that manifests do not need, because pins are many and small.
inline constexpr std::size_t max_lock_values = 1'000'000;

/// The pins of a document that is a whole lock file; none if there are errors in it.
Lock read_lock(const yaml::Node& root, Reporter& reporter);

/// The text of a lock file with these pins: sorted, an item a line, so that a diff of it can be read.
std::string write_lock(const Lock& lock);

}  // namespace left4me
