#pragma once

#include "builder/git/source_objects.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Opens a repository of this host, without a working tree or the `.git` of one, and looks up the commit.
/// Its owner may change anything at any time, so nothing beneath it is opened through a symlink or a mount
/// point, what its configuration says is not read, and its objects are only opened, not parsed. Those that
/// are files of their own are copied to `.build/download`.
Built<SourceObjects> open_repository(const GitSource& source, int build_directory);

}  // namespace left4me::builder
